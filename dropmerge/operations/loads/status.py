"""Where many loads stand at once: those of the live objects under the landing prefix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.events import MAX_CLOCK_SKEW, JournalState, journal_states
from dropmerge.operations.loads.possible import possible_loads
from dropmerge.operations.loads.states import Evidence, State, state_of
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

_EXPECTED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class LoadStatus:
    source: ObjectGeneration
    load: Load | None
    """None where no feed ever wanted the object."""
    state: State
    created: datetime
    last_dispatched_at: datetime | None
    """When it was last delivered to ingest, announced or replayed, as the journal has it."""
    dead_letter: str | None = None
    """The id of the waiting dead letter that alone says that the load ended."""

    @property
    def feed(self) -> str | None:
        return self.load.feed if self.load else None

    @property
    def is_in_flight(self) -> bool:
        """Not in a final state. An object older than ten minutes that was never announced is for `backfill`."""
        if self.state == State.UNKNOWN and self.last_dispatched_at is None:
            return self.created > datetime.now(UTC) - _EXPECTED_WITHIN
        return not self.state.is_terminal


def list_landing_objects(connection: Connection) -> list[Any]:
    """The live objects under the landing prefix, as Cloud Storage's client has them."""
    return list(connection.storage.list_blobs(connection.landing, prefix=connection.landing_prefix))


def merged_loads(connection: Connection, since: datetime) -> set[str]:
    """Ids of the loads that the ledger holds, merged from `since` on."""
    return {row["load_id"] for row in connection.query("merged_since.sql", {"since": ("TIMESTAMP", since)})}


def merged_among(connection: Connection, load_ids: Sequence[str]) -> dict[str, datetime]:
    """Which of these loads the ledger holds, and when they were merged."""
    rows = connection.query("merged_among.sql", {"load_ids": ("STRING", ",".join(load_ids))})
    return {row["load_id"]: row["merged_at"] for row in rows}


def load_statuses(connection: Connection, blobs: list[Any]) -> list[LoadStatus]:
    """Where each of these objects stands. Nothing can have happened to them before the oldest was created."""
    if not blobs:
        return []
    since = min(blob.time_created for blob in blobs) - MAX_CLOCK_SKEW
    known = journal_states(connection, since)
    loads = {
        source: possible_loads(connection, source, _journal(known, source).feed) for source in map(_source, blobs)
    }
    merged = _merged(connection, since, known, loads)
    # One listing for all, and only if one of them needs it.
    tables = cache(lambda: frozenset(connection.staging_tables()))
    found = []
    for blob in blobs:
        source = _source(blob)
        journal = _journal(known, source)
        load, is_merged = _choose(loads[source], merged)
        state = state_of(_evidence(load, is_merged, journal, connection.is_unwanted(blob.name), tables))
        found.append(LoadStatus(source, load, state, blob.time_created, journal.last_dispatched_at))
    return found


def _source(blob: Any) -> ObjectGeneration:
    return ObjectGeneration(blob.bucket.name, blob.name, int(blob.generation))


def _journal(known: Mapping[ObjectGeneration, JournalState], source: ObjectGeneration) -> JournalState:
    return known.get(source, JournalState())


def _choose(loads: Sequence[Load], merged: set[str]) -> tuple[Load | None, bool]:
    """The load that is merged, else the one that is on its way; and whether it is merged."""
    for load in loads:
        if load.load_id in merged:
            return load, True
    return (loads[0] if loads else None), False


def load_of(connection: Connection, blob: Any) -> Load | None:
    """The load of a live object; None where no feed wants it."""
    feed = connection.feed_of(blob.name)
    return Load(feed.name, _source(blob)) if feed else None


def _merged(
    connection: Connection,
    since: datetime,
    known: Mapping[ObjectGeneration, JournalState],
    loads: Mapping[ObjectGeneration, Sequence[Load]],
) -> set[str]:
    """Ids of those that the ledger holds.

    Where the journal says merged and the ledger did not, the ledger is asked again by id: it may hold the load by now,
    or with an older time, by another machine's clock.
    """
    merged = merged_loads(connection, since)
    doubtful = [
        load.load_id
        for source, some in loads.items()
        for load in some
        if load.load_id not in merged and "merged" in _journal(known, source).events
    ]
    return merged | (merged_among(connection, doubtful).keys() if doubtful else set())


def _evidence(
    load: Load | None, is_merged: bool, journal: JournalState, is_unwanted: bool, tables: Callable[[], frozenset[str]]
) -> Evidence:
    return Evidence(
        is_merged,
        journal.events,
        journal.is_served,
        load,
        tables,
        # To ask the archive bucket would take a request for each.
        is_pinned=lambda: "pinned" in journal.events,
        is_unwanted=is_unwanted,
    )
