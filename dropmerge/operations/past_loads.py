"""What became of files, one load at a time and by the hour: what the view `ops.loads` says, of any time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.queries import statement
from services.merge.views import view_query

BY = ("hour", "day", "feed")
_EARLIER = timedelta(days=7)
"""How long before its last event a load may have had its first: what is read, so that its first steps are known."""

PastLoad = Mapping[str, Any]
"""The columns of `ops.loads`."""


@dataclass(frozen=True)
class Wanted:
    """Which loads are meant: those with an event since a time. Each is for all where it is empty."""

    since: datetime
    feed: str = ""
    state: str = ""

    @property
    def parameters(self) -> dict[str, tuple[str, Any]]:
        """Of a statement that includes `wanted_loads.sql`."""
        return {
            "since": ("TIMESTAMP", self.since - _EARLIER),
            "last": ("TIMESTAMP", self.since),
            "feed": ("STRING", self.feed),
            "state": ("STRING", self.state),
        }


@dataclass(frozen=True)
class Throughput:
    """Of one hour, day or feed."""

    part: str
    """2026-11-26 18:00, 2026-11-26, or the feed, which is empty for files that no feed wants."""
    files: int
    merged: int
    row_count: int
    """Rows of merged files that passed their checks."""
    error_count: int
    dead_letters: int
    p50_seconds: float | None
    """From drop to merged; None where nothing was merged."""
    p95_seconds: float | None
    bytes_billed: int | None
    """None where nothing is known of it, as on a local cloud."""


def newest_loads(connection: Connection, wanted: Wanted, most: int) -> tuple[list[PastLoad], int]:
    """At most this many, newest last, and how many there are."""
    parameters = {**wanted.parameters, "most": ("INT64", most)}
    rows = connection.ledger("past_loads.sql", parameters, loads=_loads(connection))
    total = rows[0]["total"] if rows else 0
    return [{name: value for name, value in row.items() if name != "total"} for row in reversed(rows)], total


def every_load(connection: Connection, wanted: Wanted) -> Iterator[PastLoad]:
    """Newest last."""
    parameters = {**wanted.parameters, **connection.main_tables.parameters()}
    for row in connection.stream("all_past_loads.sql", parameters, loads=_loads(connection)):
        yield dict(row.items())


def throughput(connection: Connection, wanted: Wanted, by: str) -> list[Throughput]:
    """By hour, day or feed, of those in which there was any."""
    parameters = {**wanted.parameters, "by": ("STRING", by)}
    rows = connection.ledger("throughput.sql", parameters, loads=_loads(connection))
    return [Throughput(**dict(row.items())) for row in rows]


def _loads(connection: Connection) -> str:
    current = statement("is_current.sql")
    return view_query(connection.project, "loads", {"since": "@since", "is_current": current})
