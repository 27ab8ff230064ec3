"""A file read by a contract, by the steps that ingest takes, up to its staging table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dropmerge.operations.rejected.pinned import PinnedFile
from dropmerge.operations.rejected.spool import spool
from services.ingest.check_rows import Counts, check_rows, stage_rows
from services.ingest.inspect_file import inspect_file
from services.ingest.load_raw import load_raw
from services.ingest.match_header import Layout
from services.ingest.tables import Tables
from services.merge.staged import Staged, find_staged
from services.shared.contract.feed import Feed
from services.shared.contract.order import RESCUED
from services.shared.errors import PermanentError
from services.shared.load import Load
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

Tell = Callable[[str], None]
"""Takes what is being done."""
_SQL = Templates(Path(__file__).parent)
_NOT_OF_THE_FILE = ("access_denied", "not_found")
"""Reasons that say something of who asks, and nothing of the file."""


@dataclass(frozen=True)
class Pinned:
    """A file whose bytes do not change any more."""

    load: Load
    uri: str
    """What the warehouse loads: a clean name, with the suffix of its format and of gzip."""
    size: int
    open: Callable[[], BinaryIO]
    """Its bytes, packed as they may be."""
    part: Callable[[int, int], bytes]
    """Reads its bytes from one offset to another."""


@dataclass(frozen=True)
class Header:
    found: Sequence[str]
    """The contract's columns that the file has."""
    missing: Sequence[str]
    """Those that it lacks: their default, or NULL."""
    ignored: Sequence[str]
    """Names in the file that are left out."""
    added: Sequence[str]
    rescued: Sequence[str]
    has_deletes: bool | None
    """Whether it has the column that says which rows delete; None where the contract has none."""


@dataclass(frozen=True)
class Fault:
    """Why the file would be a dead letter."""

    reason: str
    error: str


@dataclass(frozen=True)
class RejectedRow:
    record: int | None
    """Its number in the file, the header's not counted; None where that is not known."""
    reasons: Mapping[str, str | None]
    """Each with the text that it is about."""
    row: Mapping[str, str | None]
    """The row as it was."""


@dataclass(frozen=True)
class Read:
    header: Header | None = None
    """None where the file was refused before."""
    counts: Counts | None = None
    """None where the rows were not checked."""
    reasons: Mapping[str, int] | None = None
    """How many rows have each, the most frequent first."""
    rejected: Sequence[RejectedRow] = ()
    fault: Fault | None = None
    staged: Staged | None = None
    """None where nothing would be merged."""

    @property
    def is_good(self) -> bool:
        """Whether no row was rejected, nor the file."""
        return not self.fault and not (self.counts and self.counts.rejected)


def read(warehouse: Warehouse, feed: Feed, one: Pinned, tables: Tables, job: str, most: int) -> Read:
    """Stage the file, under the names of `tables`. `job`: tells its load job from others; `most`: rejected rows.

    Raises PermanentError where the fault is not the file's.
    """
    layout, counts, fault = None, None, None
    try:
        layout = inspect_file(one.size, feed, one.part)
        layout = load_raw(warehouse, one.uri, tables.raw, job, layout, feed)
        counts = check_rows(warehouse, feed, one.load, tables, layout, one.load.source.created, None)
        rejected = counts.rejected
    except PermanentError as error:
        if error.reason in _NOT_OF_THE_FILE:
            raise
        fault = Fault(error.reason, error.detail)
        if error.reason == "too_many_bad_rows":
            counts = _count(warehouse, tables)
        rejected = counts.rejected if counts else 0
    return Read(
        _header(feed, layout) if layout else None,
        counts,
        _reasons(warehouse, tables) if rejected else {},
        _rejected(warehouse, tables, most, PinnedFile(one.open, feed, layout)) if rejected and layout else (),
        fault,
        None if fault else _stage(warehouse, feed, one.load, tables, rejected),
    )


def _stage(warehouse: Warehouse, feed: Feed, load: Load, tables: Tables, rejected: int) -> Staged:
    stage_rows(warehouse, feed, load, tables, rejected)
    return find_staged(warehouse, feed, load.load_id, tables.staging)


def _count(warehouse: Warehouse, tables: Tables) -> Counts:
    """Of a file with more bad rows than the feed tolerates, whose checked table is still there."""
    (found,) = warehouse.query(_SQL.render("count_checked.sql", checked=tables.checked))
    return Counts(found["total"], found["bad"], 0)


def _header(feed: Feed, layout: Layout) -> Header:
    names = [column.name for column in feed.columns]
    return Header(
        [name for name in names if name in layout.columns],
        [name for name in names if name not in layout.columns],
        layout.ignored,
        layout.added,
        [name for name, _ in layout.rescued],
        layout.has_delete_column if feed.delete else None,
    )


def _reasons(warehouse: Warehouse, tables: Tables) -> dict[str, int]:
    found = warehouse.query(_SQL.render("count_reasons.sql", rejected=tables.rejected))
    return {row["why"]: row["n"] for row in found}


def _rejected(warehouse: Warehouse, tables: Tables, most: int, file: PinnedFile) -> list[RejectedRow]:
    sql = _SQL.render("rejected_rows.sql", rejected=tables.rejected)
    rows = warehouse.query(sql, {"most": ("INT64", most)})
    with spool() as kept:
        kept.add(
            ("", file.digest_of_row(one["row_text"]), one["alike"], one["row_text"], json.dumps(list(one["reasons"])))
            for one in rows
        )
        return [_row(*one) for one in kept.find("", file.places(lambda _: None), lambda _: None)]


def _row(row_text: str, reasons: str, record: int | None, _: int | None) -> RejectedRow:
    row = json.loads(row_text)
    row |= row.pop(RESCUED.name, None) or {}
    return RejectedRow(record, {reason: row.get(reason.partition(": ")[2]) for reason in json.loads(reasons)}, row)
