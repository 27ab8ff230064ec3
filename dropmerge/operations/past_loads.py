"""What became of files, one load at a time and by the hour: what the view `ops.loads` says, of any time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.queries import statement
from dropmerge.operations.texts import field_names
from services.merge.views import view_query

BY = ("5min", "hour", "day", "feed")
_EARLIER = timedelta(days=7)
"""How long before its last event a load may have had its first: what is read, so that its first steps are known."""

_LATEST = datetime(9999, 12, 31, tzinfo=UTC)

COLUMNS = (
    *("load_id", "feed", "table_name", "stage_location", "file_name", "generation", "file_size", "md5", "state"),
    *("create_time", "discovery_time", "processed_time", "commit_time", "last_event_time", "last_event"),
    *("seconds_to_commit", "row_parsed", "error_count", "staged", "deleted", "lost_in_file", "inserted", "updated"),
    *("ignored", "commonest_error", "dead_letter_reason", "dead_letter_id", "first_error_message", "dead_letters"),
    *("bytes_billed", "contract", "merge_id", "loads_in_merge", "merge_staged", "merge_inserted", "merge_updated"),
    *("merge_ignored", "merge_bytes_billed", "merge_slot_ms", "check_bytes_billed", "check_slot_ms"),
)
"""Of `ops.loads`."""

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
    """Of five minutes, one hour, day or feed."""

    part: str
    """2026-11-26 18:05, 2026-11-26 18:00, 2026-11-26, or the feed, which is empty for files that no feed wants."""
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


FIGURES = field_names(Throughput)[1:]
"""All but the part."""


@dataclass(frozen=True)
class Place:
    """Where a page of loads ends: the next begins behind it, whatever has come on top since."""

    at: datetime
    place: str


@dataclass(frozen=True)
class LoadPage:
    loads: Sequence[PastLoad]
    """Newest first."""
    total: int
    """On all pages; 0 on one that is behind the last."""
    next: Place | None
    """None where there are no older ones."""


def newest_loads(connection: Connection, wanted: Wanted, most: int) -> tuple[list[PastLoad], int]:
    """At most this many, newest last, and how many there are."""
    parameters = {**wanted.parameters, "most": ("INT64", most)}
    rows = connection.ledger("past_loads.sql", parameters, loads=_loads(connection))
    total = rows[0]["total"] if rows else 0
    return [{name: value for name, value in row.items() if name != "total"} for row in reversed(rows)], total


def page_of_loads(
    connection: Connection, wanted: Wanted, name: str = "", after: Place | None = None, most: int = 50
) -> LoadPage:
    """The newest loads, or those that come after a place. `name`: what is in the object's name, in either case."""
    parameters = {
        **wanted.parameters,
        "name": ("STRING", name),
        "before": ("TIMESTAMP", after.at if after else _LATEST),
        "place": ("STRING", after.place if after else ""),
        "most": ("INT64", most + 1),
    }
    rows = connection.ledger("page_of_loads.sql", parameters, loads=_loads(connection))
    shown = rows[:most]
    last = Place(shown[-1]["last_event_time"], shown[-1]["place"]) if len(rows) > most else None
    loads = [{name: value for name, value in row.items() if name not in ("place", "total")} for row in shown]
    return LoadPage(loads, rows[0]["total"] if rows else 0, last)


def every_load(connection: Connection, wanted: Wanted) -> Iterator[PastLoad]:
    """Newest last."""
    parameters = {**wanted.parameters, **connection.main_tables.parameters()}
    for row in connection.stream("all_past_loads.sql", parameters, loads=_loads(connection)):
        yield dict(row.items())


def throughput(connection: Connection, wanted: Wanted, by: str) -> list[Throughput]:
    """By five minutes, hour, day or feed, of those in which there was any."""
    parameters = {**wanted.parameters, "by": ("STRING", by)}
    rows = connection.ledger("throughput.sql", parameters, loads=_loads(connection))
    return [Throughput(**dict(row.items())) for row in rows]


def _loads(connection: Connection) -> str:
    current = statement("is_current.sql")
    return view_query(connection.project, "loads", {"since": "@since", "is_current": current})
