"""Rejected rows written as a file to fix and drop again, and beside it why each was rejected.

The file is as its feed reads it: nothing has to be taken out of it before it is dropped. Of a file of which nothing is
merged it is the whole: the good rows would be lost otherwise.
"""

from __future__ import annotations

import csv
import itertools
import json
import shutil
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.loads.states import State
from dropmerge.operations.rejected.ends import history_of, merged_of
from dropmerge.operations.rejected.pinned import find_pinned, open_blob, unpacked
from dropmerge.operations.rejected.reading import Reading
from dropmerge.operations.rejected.row import RejectedRow
from dropmerge.operations.rejected.selection import RejectedLoad, Selection, find_loads
from services.shared.contract.formats import FIELDS, KINDS, LINE
from services.shared.contract.shape import by_title, titles
from services.shared.load import Load

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed

REASONS_HEADER = (
    "record",
    "line",
    "reason",
    "column",
    "value",
    "object",
    "generation",
    "source_record",
    "source_line",
)


@dataclass(frozen=True)
class Exported:
    rows: int
    """Bad ones."""
    reasons: Path
    """A CSV file: each reason with the record's number in the file beside it, and the value."""
    whole: Load | None
    """The file that was written whole, because nothing of it is merged, or because it is a snapshot."""
    is_merged: bool = False
    """Whether that is merged."""


def write_file(reading: Reading, feed: Feed, wanted: Selection, path: Path) -> Exported:
    """Values as they were. Raises UsageError and NotDone; then neither file is there."""
    reasons = path.with_name(f"{path.name}.reasons.csv")
    for one in (path, reasons):
        if one.exists():
            raise UsageError(f"{one} is there already: name another file")
    loads = find_loads(reading.connection, wanted)
    merged = merged_of(reading.connection, [one.load for one in loads])
    whole = _whole(reading.connection, feed, loads, merged)
    partly, partly_reasons = (one.with_name(f"{one.name}.part") for one in (path, reasons))
    try:
        with partly_reasons.open("w", newline="", encoding="utf-8") as file:
            rows = reading.all(wanted)
            marked = _copy(reading.connection, whole, rows, partly) if whole else write_rows(feed, rows, partly)
            count = _write_reasons(file, marked)
        partly_reasons.rename(reasons)
        partly.rename(path)
    finally:
        partly.unlink(missing_ok=True)
        partly_reasons.unlink(missing_ok=True)
    return Exported(count, reasons, whole, whole is not None and whole.load_id in merged)


def _whole(connection: Connection, feed: Feed, loads: Sequence[RejectedLoad], merged: Container[str]) -> Load | None:
    others = [one.load for one in loads if one.load.load_id not in merged]
    for load in others:
        state = history_of(connection, load).state
        if state != State.DEAD_LETTERED:
            raise NotDone(
                f"{load.source} is {state}, so it is not known yet which of its rows will be merged: "
                f"`dropmerge wait`, then try again; `dropmerge explain '{load.source}'` says more"
            )
    if others and len(loads) > 1:
        raise UsageError(
            f"nothing of {others[0].source} is merged, so that its good rows have to be dropped again too: such a "
            f"file is written whole, and alone. Name one file at a time: --object '{others[0].source.name}'"
        )
    if others:
        return others[0]
    if feed.mode != "snapshot" or not loads:
        return None
    if len(loads) > 1:
        raise UsageError(
            f"the newest file of {feed.name} is the table, so that a file of bad rows alone would delete all others: "
            f"it is written whole, and alone. Name one file at a time: --object '{loads[-1].load.source.name}'"
        )
    return loads[0].load


def _copy(connection: Connection, load: Load, rows: Iterable[RejectedRow], path: Path) -> Iterator[Mapping[str, Any]]:
    """The file byte for byte, though unpacked: a number is the same in both."""
    with unpacked(open_blob(find_pinned(connection, load))) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 2**20)
    for row in rows:
        yield {**row.as_json(), "source_record": row.record, "source_line": row.line}


def write_rows(feed: Feed, rows: Iterable[RejectedRow], path: Path) -> Iterator[Mapping[str, Any]]:
    """Write them as the feed's own files are; yields each as JSON has it, with its new place and its place before."""
    from services.ingest.formats import format_of

    with TemporaryFile("w+", encoding="utf-8") as kept:
        seen: dict[str, None] = {}
        for row in rows:
            seen |= dict.fromkeys(name for name, text in row.row.items() if text is not None)
            kept.write(json.dumps(row.as_json()) + "\n")
        header = _header(feed, seen)
        try:
            with path.open("wb") as file:
                format_of(feed).write(file, header, _records(feed, kept), feed)
        except ValueError as error:
            # Of a contract that was another when they were rejected.
            raise NotDone(f"today's contract cannot read these rows from a file: {_without_text(error)}") from error
        kept.seek(0)
        with path.open("rb") as written:
            for place, line in zip(_places(written, header, feed), kept, strict=False):
                one = json.loads(line)
                yield {**one, **place, "source_record": one["record"], "source_line": one["line"]}


def _without_text(error: ValueError) -> str:
    return f"{error.encoding} lacks a character" if isinstance(error, UnicodeEncodeError) else str(error)


def _places(written: BinaryIO, header: Sequence[str], feed: Feed) -> Iterator[Mapping[str, int | None]]:
    """Of each record; of a format whose records have no number, none for as many as are asked for."""
    from services.ingest.formats import format_of

    try:
        for record in format_of(feed).records(written, header, feed, feed.format.encoding):
            yield {"record": record.number, "line": record.line}
    except ValueError:
        yield from itertools.repeat({"record": None, "line": None})


def _header(feed: Feed, seen: Mapping[str, None]) -> list[str]:
    # An empty delete column would be a value: a file that had none must not gain one.
    marker = feed.delete.column if feed.delete else None
    in_file = by_title(feed)
    lacks_marker = marker is not None and marker not in seen and marker not in feed.places.values()
    header = [name for name in titles(feed) if not (lacks_marker and name == in_file[marker or ""])]
    if feed.unknown_columns not in ("rescue", "add"):
        return header
    return list(dict.fromkeys([*header, *(name for name in seen if name not in {*in_file, LINE, FIELDS, KINDS})]))


def _records(feed: Feed, kept: IO[str]) -> Iterator[dict[str, str | None]]:
    in_file = by_title(feed)
    kept.seek(0)
    for line in kept:
        yield {in_file.get(name, name): text for name, text in json.loads(line)["row"].items()}


def _write_reasons(file: IO[str], marked: Iterable[Mapping[str, Any]]) -> int:
    writer = csv.DictWriter(file, REASONS_HEADER, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    count = 0
    for one in marked:
        count += 1
        writer.writerows({**one, **fault} for fault in one["faults"])
    return count
