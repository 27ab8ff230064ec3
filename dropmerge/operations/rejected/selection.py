"""Which rejected rows are meant, how many they are, and how they leave the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.file_name import FileName
from dropmerge.operations.queries import statement
from services.shared.generation import ObjectGeneration
from services.shared.load import Load


@dataclass(frozen=True)
class Selection:
    """Each is for all where it is empty."""

    feed: str = ""
    reason: str = ""
    loads: Sequence[str] = ()
    """By their ids."""
    since: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """When they were rejected, or later. Of an earlier release the time is not known: those count as of 1970."""

    @property
    def parameters(self) -> dict[str, tuple[str, Any]]:
        texts = {
            "feed": self.feed,
            "reason": self.reason,
            "loads": ",".join(self.loads),
        }
        return {**{name: ("STRING", text) for name, text in texts.items()}, "since": ("TIMESTAMP", self.since)}


@dataclass(frozen=True)
class RejectedLoad:
    load: Load
    rows: int
    """Of those that are meant."""


def select(
    connection: Connection, feed: str | None, files: Sequence[FileName], reason: str | None
) -> Selection | None:
    """The rows of this feed, of any of these files, with this reason among theirs; None where no file fits."""
    everything = Selection(feed or "", reason or "")
    if not files:
        return everything
    known = [load_of(row) for row in connection.query("rejected_files.sql", {"feed": ("STRING", feed or "")})]
    fitting = [load for load in known if any(file.fits(load.source, load.load_id) for file in files)]
    feeds = {load.feed for load in fitting}
    only = feeds.pop() if len(feeds) == 1 else everything.feed
    return replace(everything, feed=only, loads=[load.load_id for load in fitting]) if fitting else None


def count_reasons(connection: Connection, wanted: Selection) -> dict[tuple[str, str, str], int]:
    """By feed, object#generation and reason; those of the newest files first."""
    rows = connection.query("count_rejected_reasons.sql", wanted.parameters)
    return {(row["feed"], f"{row['object']}#{row['generation']}", row["why"]): row["n"] for row in rows}


def find_loads(connection: Connection, wanted: Selection) -> list[RejectedLoad]:
    """By feed, object and generation."""
    rows = connection.query("rejected_loads.sql", wanted.parameters)
    return [RejectedLoad(load_of(row), row["n"]) for row in rows]


def load_of(row: Mapping[str, Any]) -> Load:
    """The load of a row that was rejected."""
    return Load(row["feed"], ObjectGeneration(row["bucket"], row["object"], row["generation"]))


def count_loads(connection: Connection, wanted: Selection) -> dict[str, int]:
    """Rows by load id."""
    return {one.load.load_id: one.rows for one in find_loads(connection, wanted)}


def mark_done(connection: Connection, wanted: Selection, loads: Mapping[str, int], **more: object) -> None:
    """Take the rows of these loads off the list, once it is recorded who did it. Raises NotDone.

    Loads, not all that is wanted by now: what was rejected since nobody has seen. A check of the same file by a replay
    or a backfill lists its rows again.
    """
    from services.shared.journal import Event

    detail = {"rows": sum(loads.values()), "loads": list(loads), "reason": wanted.reason or None, **more}
    if not connection.journal.write([(Event("rejected_rows_done", detail), {"feed": wanted.feed})]):
        raise NotDone("the journal cannot be written, so these rows stay; try again")
    parameters: dict[str, tuple[str, Any]] = {**wanted.parameters, "load_ids": ("STRING", ",".join(loads))}
    connection.warehouse.query(statement("delete_rejected.sql"), parameters)
