"""Where many loads stand at once: those of the live objects under the landing prefix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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

    is_lost: bool = False
    """Whether it was merged into a main table that is no longer there, or no longer the contract's."""

    @property
    def feed(self) -> str | None:
        return self.load.feed if self.load else None

    @property
    def is_in_flight(self) -> bool:
        """Not in a final state. An object older than ten minutes that was never announced is for `backfill`."""
        if self.state == State.UNKNOWN and self.last_dispatched_at is None:
            return self.created > datetime.now(UTC) - _EXPECTED_WITHIN
        # What was merged once waits for `backfill`, unless that has sent it on its way again.
        is_waiting = self.is_lost and self.state == State.PINNED
        return not self.state.is_terminal and not is_waiting


def list_landing_objects(connection: Connection) -> list[Any]:
    """The live objects under the landing prefix, as Cloud Storage's client has them."""
    return list(connection.storage.list_blobs(connection.landing, prefix=connection.landing_prefix))


Merged = Mapping[str, bool]
"""Of loads that the ledger holds: whether the main table of now has them, and not one that was dropped or renamed."""


def merged_loads(connection: Connection, since: datetime) -> Merged:
    """The loads that the ledger holds, merged from `since` on."""
    rows = connection.ledger("merged_since.sql", {"since": ("TIMESTAMP", since)})
    return {row["load_id"]: row["is_current"] for row in rows}


def merged_among(connection: Connection, load_ids: Sequence[str]) -> dict[str, datetime]:
    """Which of these loads the main table has, and when they were merged."""
    rows = connection.ledger("merged_among.sql", {"load_ids": ("STRING", ",".join(load_ids))})
    return {row["load_id"]: row["merged_at"] for row in rows if row["is_current"]}


def load_statuses(connection: Connection, blobs: list[Any], not_before: datetime | None = None) -> list[LoadStatus]:
    """Where each of these objects stands. Nothing can have happened to them before the oldest was created.

    `not_before`: of those that are older, only the ones that the journal names from then on, and each feed's newest.
    Of the latter the state is `unknown` where only the journal would say it.
    """
    if not blobs:
        return []
    oldest = min(blob.time_created for blob in blobs) - MAX_CLOCK_SKEW
    since = max(oldest, not_before) if not_before else oldest
    known = journal_states(connection, since)
    if since > oldest:
        newest = {_source(blob) for blob in _newest_of_feeds(connection, blobs)}
        blobs = [one for one in blobs if one.time_created >= since or _source(one) in known or _source(one) in newest]
    created = {_source(blob): blob.time_created for blob in blobs}
    loads = _loads(connection, created, known)
    return _statuses(connection, created, known, loads, _merged(connection, since, known, loads))


def statuses_of(connection: Connection, sources: Collection[ObjectGeneration]) -> list[LoadStatus]:
    """Where these object generations stand, however old they are, and whether they are still in their bucket."""
    if not sources:
        return []
    created = {source: source.created for source in sources}
    known = journal_states(connection, min(created.values()) - MAX_CLOCK_SKEW, sources)
    loads = _loads(connection, created, known)
    ids = [load.load_id for some in loads.values() for load in some]
    return _statuses(connection, created, known, loads, _ever_merged(connection, ids))


def _loads(
    connection: Connection, sources: Iterable[ObjectGeneration], known: Mapping[ObjectGeneration, JournalState]
) -> dict[ObjectGeneration, list[Load]]:
    return {source: possible_loads(connection, source, _journal(known, source).feed) for source in sources}


def _statuses(
    connection: Connection,
    created: Mapping[ObjectGeneration, datetime],
    known: Mapping[ObjectGeneration, JournalState],
    loads: Mapping[ObjectGeneration, Sequence[Load]],
    merged: Merged,
) -> list[LoadStatus]:
    # One listing for all, and only if one of them needs it.
    tables = cache(lambda: frozenset(connection.staging_tables()))
    found = []
    for source, at in created.items():
        journal = _journal(known, source)
        load, is_merged = _choose(loads[source], merged)
        state = state_of(_evidence(load, is_merged, journal, connection.is_unwanted(source.name), tables))
        is_lost = is_merged is False
        found.append(LoadStatus(source, load, state, at, journal.last_dispatched_at, is_lost=is_lost))
    return found


def _newest_of_feeds(connection: Connection, blobs: list[Any]) -> list[Any]:
    newest = {}
    for blob in sorted(blobs, key=lambda blob: blob.time_created):
        feed = connection.feed_of(blob.name)
        if feed:
            newest[feed.name] = blob
    return list(newest.values())


def _source(blob: Any) -> ObjectGeneration:
    return ObjectGeneration(blob.bucket.name, blob.name, int(blob.generation))


def _journal(known: Mapping[ObjectGeneration, JournalState], source: ObjectGeneration) -> JournalState:
    return known.get(source, JournalState())


def _choose(loads: Sequence[Load], merged: Merged) -> tuple[Load | None, bool | None]:
    """The load that is merged, else the one that is on its way; and whether the main table of now has it."""
    known = [load for load in loads if load.load_id in merged]
    for load in sorted(known, key=lambda load: not merged[load.load_id]):
        return load, merged[load.load_id]
    return (loads[0] if loads else None), None


def load_of(connection: Connection, blob: Any) -> Load | None:
    """The load of a live object; None where no feed wants it."""
    feed = connection.feed_of(blob.name)
    return Load(feed.name, _source(blob)) if feed else None


def _merged(
    connection: Connection,
    since: datetime,
    known: Mapping[ObjectGeneration, JournalState],
    loads: Mapping[ObjectGeneration, Sequence[Load]],
) -> Merged:
    """Those that the ledger holds.

    Where the journal says merged and the ledger did not, the ledger is asked again by id: it may hold the load by now,
    or with an older time, by another machine's clock. So it is for objects that are older than what was asked for.
    """
    merged = merged_loads(connection, since)
    doubtful = [
        load.load_id
        for source, some in loads.items()
        for load in some
        if load.load_id not in merged and (source.created < since or "merged" in _journal(known, source).events)
    ]
    return {**merged, **_ever_merged(connection, doubtful)}


def _ever_merged(connection: Connection, load_ids: Sequence[str]) -> Merged:
    if not load_ids:
        return {}
    rows = connection.ledger("merged_among.sql", {"load_ids": ("STRING", ",".join(load_ids))})
    return {row["load_id"]: row["is_current"] for row in rows}


def _evidence(
    load: Load | None,
    is_merged: bool | None,
    journal: JournalState,
    is_unwanted: bool,
    tables: Callable[[], frozenset[str]],
) -> Evidence:
    return Evidence(
        bool(is_merged),
        journal.events,
        journal.is_served,
        load,
        tables,
        # To ask the archive bucket would take a request for each. What was merged anywhere was pinned before.
        is_pinned=lambda: "pinned" in journal.events or is_merged is False,
        is_unwanted=is_unwanted,
    )
