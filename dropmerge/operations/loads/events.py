"""The journal's events about one object generation, and about many at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.states import DISPATCH_EVENTS, SETTLED_EVENTS
from services.shared.generation import ObjectGeneration
from services.shared.messages.dead_letter import DeadLetter

MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far two machines' clocks are trusted to differ, at most."""


@dataclass(frozen=True)
class LoadEvent:
    at: datetime
    event: str
    service: str
    """`console` where a command recorded it."""
    feed: str | None
    """None where none was known."""
    detail: Mapping[str, Any]
    who: str | None = None
    """The account that ran the command; None where a service recorded the event."""
    operation_id: str | None = None
    """The same for all events of one run of a command."""

    def as_json(self) -> dict[str, Any]:
        """Keys at, event, service, detail; who and operation_id where a command recorded it."""
        by = {"who": self.who, "operation_id": self.operation_id} if self.who else {}
        return {"at": self.at.isoformat(), "event": self.event, "service": self.service, "detail": self.detail, **by}


COLUMNS = ("at", "event", "service", "detail", "who", "operation_id")
"""All keys that events have as JSON."""


@dataclass(frozen=True)
class JournalState:
    """What the journal knows of an object generation: what decides its state, and no more."""

    events: list[str] = field(default_factory=list)
    is_served: bool = False
    """Whether a service has recorded an event."""
    last_dispatched_at: datetime | None = None
    """When it was last delivered to ingest, announced or replayed."""
    feed: str | None = None
    """The last that the journal names, which may be gone since, or no longer want the object."""


def read_events(connection: Connection, source: ObjectGeneration) -> list[LoadEvent]:
    """Oldest first; none where there is no journal."""
    since = source.created - MAX_CLOCK_SKEW
    rows = connection.query("load_events.sql", {**_source(source), "since": ("TIMESTAMP", since)})
    return [_event(row) for row in rows]


def read_dead_letter_events(connection: Connection, dead_letter: DeadLetter) -> list[LoadEvent]:
    """Of the dead letter's object generation, and of the dead letter itself, which may have none. Oldest first."""
    source = ObjectGeneration(dead_letter.bucket or "", dead_letter.object or "", dead_letter.generation or 0)
    parameters = {
        **_source(source),
        "id": ("STRING", dead_letter.id),
        "replay_of": ("STRING", dead_letter.replay_of or ""),
        "since": ("TIMESTAMP", source.created),
    }
    return [_event(row) for row in connection.query("dead_letter_events.sql", parameters)]


def journal_states(
    connection: Connection, since: datetime, sources: Collection[ObjectGeneration] = ()
) -> dict[ObjectGeneration, JournalState]:
    """Of every object generation with an event from `since` on; with `sources`, of these (and of others that share a
    number with one)."""
    parameters = {**_states_since(since), "generations": ("STRING", _generations(sources))}
    return _states(connection.query("latest_events.sql", parameters))


def unended_states(connection: Connection, since: datetime) -> dict[ObjectGeneration, JournalState]:
    """Of the object generations with an event from `since` on that have not ended, as far as journal and ledger say
    without more, and of each feed's newest."""
    newest_before = ("INT64", _as_generation(datetime.now(UTC) + MAX_CLOCK_SKEW))
    return _states(connection.ledger("unended_events.sql", {**_states_since(since), "newest_before": newest_before}))


def unheard_of(connection: Connection, sources: Collection[ObjectGeneration]) -> list[ObjectGeneration]:
    """Those of these object generations that the journal has no event of."""
    if not sources:
        return []
    since = min(source.created for source in sources) - MAX_CLOCK_SKEW
    parameters = {"generations": ("STRING", _generations(sources)), "since": ("TIMESTAMP", since)}
    heard = {object_of(row) for row in connection.query("heard_of.sql", parameters)}
    return [source for source in sources if source not in heard]


def newest_of_feeds(connection: Connection, since: datetime) -> dict[str, ObjectGeneration]:
    """By feed, of those with an event from `since` on."""
    parameters = {
        "since": ("TIMESTAMP", since),
        "newest_before": ("INT64", _as_generation(datetime.now(UTC) + MAX_CLOCK_SKEW)),
    }
    return {row["feed"]: object_of(row) for row in connection.query("newest_of_feeds.sql", parameters)}


def recent_objects(connection: Connection, since: datetime) -> list[ObjectGeneration]:
    """The newest generation of each object of the landing bucket that was created from `since` on."""
    parameters = {
        "bucket": ("STRING", connection.landing),
        "prefix": ("STRING", connection.landing_prefix),
        "generation": ("INT64", _as_generation(since)),
        "since": ("TIMESTAMP", since - MAX_CLOCK_SKEW),
    }
    return [object_of(row) for row in connection.query("recent_objects.sql", parameters)]


def _states_since(since: datetime) -> dict[str, tuple[str, Any]]:
    return {"since": ("TIMESTAMP", since), "dispatch_events": ("STRING", ",".join(DISPATCH_EVENTS))}


def _states(rows: Sequence[Any]) -> dict[ObjectGeneration, JournalState]:
    found: dict[ObjectGeneration, JournalState] = {}
    for row in rows:
        first = JournalState([], row["is_served"], row["last_dispatched_at"], row["feed"])
        state = found.setdefault(object_of(row), first)
        if row["event"] not in SETTLED_EVENTS or is_current(row["moment"], row["last_dispatched_at"]):
            state.events.append(row["event"])
    return found


def last_events(
    connection: Connection, sources: Collection[ObjectGeneration]
) -> dict[ObjectGeneration, dict[str, LoadEvent]]:
    """Of each of these the last event of each kind that says how it ended, by the event's name."""
    since = min(source.created for source in sources) - MAX_CLOCK_SKEW
    parameters = {"generations": ("STRING", _generations(sources)), "since": ("TIMESTAMP", since)}
    found: dict[ObjectGeneration, dict[str, LoadEvent]] = {}
    for row in connection.query("last_events.sql", parameters):
        found.setdefault(object_of(row), {})[row["event"]] = _event(row)
    return found


def discarded_generations(
    connection: Connection, since: datetime, sources: Collection[ObjectGeneration] = ()
) -> frozenset[ObjectGeneration]:
    """Those that were given up from `since` on and not dispatched since; with `sources`, of these."""
    parameters = {**_states_since(since), "generations": ("STRING", _generations(sources))}
    return frozenset(object_of(row) for row in connection.query("discarded_generations.sql", parameters))


def is_current(written: datetime, last_dispatched_at: datetime | None) -> bool:
    """Whether a dead letter of that time is where its load stands: not if the load was dispatched again since."""
    return last_dispatched_at is None or written >= last_dispatched_at


def _as_generation(at: datetime) -> int:
    """What an object of that time has: microseconds since 1970."""
    return int(at.timestamp() * 1e6)


def object_of(row: Any) -> ObjectGeneration:
    """Which object generation a row is about."""
    return ObjectGeneration(row["bucket"], row["object"], row["generation"])


def _generations(sources: Collection[ObjectGeneration]) -> str:
    return ",".join(str(source.generation) for source in sources)


def _source(source: ObjectGeneration) -> dict[str, tuple[str, Any]]:
    return {
        "bucket": ("STRING", source.bucket),
        "object": ("STRING", source.name),
        "generation": ("INT64", source.generation),
    }


def _event(row: Any) -> LoadEvent:
    return LoadEvent(
        row["happened_at"],
        row["event"],
        row["service"],
        row["feed"],
        json.loads(row["detail"] or "{}"),
        row["who"],
        row["operation_id"],
    )
