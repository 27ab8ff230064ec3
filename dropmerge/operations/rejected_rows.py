"""Rows that failed their checks."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.queries import statement
from services.shared.contract.formats import FIELDS, KINDS, LINE
from services.shared.contract.order import RESCUED

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed


_ALL = 2**63 - 1


@dataclass(frozen=True)
class RejectedRow:
    feed: str
    bucket: str
    object: str
    generation: int
    row: Mapping[str, str | None]
    """The row as it was: the contract's columns, the delete marker's where the feed has one, what the feed rescues or
    adds, of lines the line as `_line`, of a record of too few or too many fields those as `_fields`, and of a file
    with types those of its fields as `_kinds`."""
    reasons: Sequence[str]
    """Each a word and a column."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Selection:
    """Each is for all where it is empty."""

    feed: str = ""
    objects: Sequence[str] = ()
    reason: str = ""

    @property
    def parameters(self) -> dict[str, tuple[str, Any]]:
        texts = {"feed": self.feed, "objects": "\n".join(self.objects), "reason": self.reason}
        return {name: ("STRING", text) for name, text in texts.items()}


def select(connection: Connection, feed: str | None, glob: str | None, reason: str | None) -> Selection | None:
    """The rows of this feed, of objects whose names match, with this reason among theirs; None where no name does."""
    everything = Selection(feed or "", (), reason or "")
    if glob is None:
        return everything
    names = connection.query("rejected_objects.sql", {"feed": ("STRING", feed or "")})
    objects = [row["object"] for row in names if fnmatch.fnmatchcase(row["object"], glob)]
    return replace(everything, objects=objects) if objects else None


def read_rejected_rows(connection: Connection, wanted: Selection, most: int = _ALL) -> tuple[list[RejectedRow], int]:
    """The first of them, sorted by feed and object, and how many there are."""
    found = connection.query("rejected_rows.sql", {**wanted.parameters, "most": ("INT64", most)})
    return [_row(one) for one in found], found[0]["total"] if found else 0


def _row(one: Mapping[str, Any]) -> RejectedRow:
    row = json.loads(one["row_text"])
    row |= row.pop(RESCUED.name, None) or {}
    return RejectedRow(one["feed"], one["bucket"], one["object"], one["generation"], row, list(one["reasons"]))


def count_reasons(connection: Connection, wanted: Selection) -> dict[tuple[str, str, str], int]:
    """By feed, object#generation and reason, sorted."""
    rows = connection.query("count_rejected_reasons.sql", wanted.parameters)
    return {(row["feed"], f"{row['object']}#{row['generation']}", row["why"]): row["n"] for row in rows}


def count_loads(connection: Connection, wanted: Selection) -> dict[str, int]:
    """Rows by load id."""
    return {row["load_id"]: row["n"] for row in connection.query("rejected_loads.sql", wanted.parameters)}


def mark_done(connection: Connection, wanted: Selection, loads: Mapping[str, int], who: str) -> None:
    """Take the rows of these loads off the list, once it is recorded who did it. Raises NotDone.

    Loads, not all that is wanted by now: what was rejected since nobody has seen. A check of the same file by a replay
    or a backfill lists its rows again.
    """
    from services.shared.journal import Event

    detail = {"rows": sum(loads.values()), "loads": list(loads), "reason": wanted.reason or None, "who": who}
    if not connection.journal.write([(Event("rejected_rows_done", detail), {"feed": wanted.feed})]):
        raise NotDone("the journal cannot be written, so these rows stay; try again")
    parameters: dict[str, tuple[str, Any]] = {**wanted.parameters, "load_ids": ("STRING", ",".join(loads))}
    connection.warehouse.query(statement("delete_rejected.sql"), parameters)


def write_file(path: Path, feed: Feed, rows: Sequence[RejectedRow]) -> None:
    """A file like the feed's own, values as they were, to fix and drop again. Raises UsageError."""
    from services.ingest.formats import format_of
    from services.shared.contract.shape import by_title, titles

    if path.exists():
        raise UsageError(f"{path} is there already: name another file")
    in_file = by_title(feed)
    records = [{in_file.get(name, name): text for name, text in row.row.items()} for row in rows]
    header = titles(feed)
    if feed.unknown_columns in ("rescue", "add"):
        names = (name for record in records for name in record if name not in (LINE, FIELDS, KINDS))
        header = list(dict.fromkeys([*header, *names]))
    with path.open("wb") as file:
        format_of(feed).write(file, header, records, feed)
