"""Where many loads stand at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.events import (
    MAX_CLOCK_SKEW,
    JournalState,
    journal_states,
    unended_states,
    unheard_of,
)
from dropmerge.operations.loads.landing import Listing
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
    def is_unannounced(self) -> bool:
        """Whether nothing is known of an object that is older than ten minutes."""
        is_unknown = self.state == State.UNKNOWN and self.last_dispatched_at is None
        return is_unknown and self.created <= datetime.now(UTC) - _EXPECTED_WITHIN

    @property
    def is_in_flight(self) -> bool:
        """Not in a final state. One that was never announced is for `backfill`."""
        if self.is_unannounced:
            return False
        # What was merged once waits for `backfill`, unless that has sent it on its way again.
        is_waiting = self.is_lost and self.state == State.PINNED
        return not self.state.is_terminal and not is_waiting


Merged = Mapping[str, bool]
"""Of loads that the ledger holds: whether the main table of now has them, and not one that was dropped or renamed."""


def merged_among(connection: Connection, load_ids: Sequence[str]) -> dict[str, datetime]:
    """Which of these loads the main table has, and when they were merged."""
    rows = connection.ledger("merged_among.sql", {"load_ids": ("STRING", ",".join(load_ids))})
    return {row["load_id"]: row["merged_at"] for row in rows if row["is_current"]}


def unended_loads(connection: Connection, since: datetime, listing: Listing) -> list[LoadStatus]:
    """Where those stand of which the journal has an event from `since` on and that have not ended, each feed's newest,
    and the young ones that it has never heard of. Some that have ended may be among them."""
    # In this order: what is heard of in between is in the second answer.
    unheard = unheard_of(connection, listing.young)
    known = unended_states(connection, since)
    found = _statuses(connection, [*known, *unheard], known)
    # Of what is nowhere, and was named by a replayed message that nobody can read, nothing more comes.
    return [one for one in found if one.state != State.UNKNOWN or listing.live is None or one.source in listing.live]


def statuses_of(connection: Connection, sources: Collection[ObjectGeneration]) -> list[LoadStatus]:
    """Where these object generations stand, however old they are, and whether they are still in their bucket."""
    if not sources:
        return []
    since = min(source.created for source in sources) - MAX_CLOCK_SKEW
    return _statuses(connection, sources, journal_states(connection, since, sources))


def _loads(
    connection: Connection, sources: Iterable[ObjectGeneration], known: Mapping[ObjectGeneration, JournalState]
) -> dict[ObjectGeneration, list[Load]]:
    return {source: possible_loads(connection, source, _journal(known, source).feed) for source in sources}


def _statuses(
    connection: Connection,
    sources: Iterable[ObjectGeneration],
    known: Mapping[ObjectGeneration, JournalState],
) -> list[LoadStatus]:
    loads = _loads(connection, dict.fromkeys(sources), known)
    # The ledger is asked after the journal: what is merged meanwhile is.
    merged = _ever_merged(connection, [load.load_id for some in loads.values() for load in some])
    # One listing for all, and only if one of them needs it.
    tables = cache(lambda: frozenset(connection.staging_tables()))
    found = []
    for source in loads:
        journal = _journal(known, source)
        load, is_merged = _choose(loads[source], merged)
        state = state_of(_evidence(load, is_merged, journal, connection.is_unwanted(source.name), tables))
        is_lost = is_merged is False
        found.append(LoadStatus(source, load, state, source.created, journal.last_dispatched_at, is_lost=is_lost))
    return found


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
