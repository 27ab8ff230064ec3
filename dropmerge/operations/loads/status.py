"""Where loads are, told from the bucket, the ledger and the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import Key, is_current
from dropmerge.operations.loads.events import DISPATCH_EVENTS, MAX_CLOCK_SKEW, TERMINAL_STATES, state_from_events
from services.shared.contract.pattern import feed_for
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

_EXPECTED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class LoadStatus:
    feed: str | None
    bucket: str
    object: str
    generation: int
    load_id: str | None
    state: str
    created: datetime
    last_dispatched_at: datetime | None
    """When it was last delivered to ingest, announced or replayed, by the journal's word."""
    dead_letter: str | None = None
    """The id of the waiting one that alone tells of this end."""

    @property
    def key(self) -> Key:
        return self.bucket, self.object, self.generation


def list_landing_objects(connection: Connection) -> list[Any]:
    """The live objects under the landing prefix."""
    prefix = connection.topology["buckets"]["landing"]["prefix"]
    return list(connection.storage.list_blobs(connection.landing, prefix=prefix))


@dataclass(frozen=True)
class JournalState:
    """What the journal knows of an object generation."""

    state: str
    last_dispatched_at: datetime | None
    """When it was last delivered to ingest, announced or replayed."""


def journal_states(connection: Connection, since: datetime) -> dict[Key, JournalState]:
    """By bucket, object, generation; from `since` on."""
    rows = connection.rows(
        "SELECT bucket, object, generation, event, moment, set_out FROM (SELECT *,"
        " MAX(IF(event IN UNNEST(SPLIT(@set_out)), `at`, NULL))"
        " OVER (PARTITION BY bucket, object, generation) AS set_out,"
        " ROW_NUMBER() OVER (PARTITION BY bucket, object, generation, event = 'discarded' ORDER BY moment DESC) AS n"
        " FROM (SELECT bucket, object, generation, event, `at`,"
        # What was discarded is as old as the letter.
        " IF(event = 'discarded', COALESCE(SAFE_CAST(JSON_VALUE(detail, '$.dead_lettered_at') AS TIMESTAMP), `at`),"
        " `at`) AS moment FROM `ops.journal` WHERE object IS NOT NULL AND `at` >= @since))"
        " WHERE n = 1 ORDER BY `at`",
        {"since": ("TIMESTAMP", since), "set_out": ("STRING", ",".join(DISPATCH_EVENTS))},
    )
    events: dict[Key, list[str]] = {}
    set_out = {}
    for row in rows:
        key = (row["bucket"], row["object"], row["generation"])
        set_out[key] = row["set_out"]
        if row["event"] != "discarded" or is_current(row["moment"], row["set_out"]):
            events.setdefault(key, []).append(row["event"])
    return {
        key: JournalState(state_from_events(events.get(key, ())) or "unknown", moment)
        for key, moment in set_out.items()
    }


def merged_loads(connection: Connection, since: datetime) -> set[str]:
    """Load ids of the ledger, merged from `since` on."""
    rows = connection.rows(
        "SELECT load_id FROM `ops.ledger` WHERE merged_at >= @since", {"since": ("TIMESTAMP", since)}
    )
    return {row["load_id"] for row in rows}


def load_statuses(connection: Connection, blobs: list[Any]) -> list[LoadStatus]:
    """Where each of these objects is. Nothing can have happened to them before the oldest was made."""
    if not blobs:
        return []
    since = min(blob.time_created for blob in blobs) - MAX_CLOCK_SKEW
    events, merged = journal_states(connection, since), merged_loads(connection, since)
    found = []
    for blob in blobs:
        feed = feed_for(connection.feeds, blob.name)
        key = (blob.bucket.name, blob.name, int(blob.generation))
        load_id = Load(feed.name, ObjectGeneration(*key)).load_id if feed else None
        heard = events.get(key, JournalState("unknown", None))
        if load_id in merged:
            state = "merged"
        elif blob.name.endswith("/"):
            state = "ignored"
        else:
            state = heard.state
        found.append(
            LoadStatus(feed.name if feed else None, *key, load_id, state, blob.time_created, heard.last_dispatched_at)
        )
    return found


def is_in_flight(one: LoadStatus) -> bool:
    """Not at an end. An object older than ten minutes of which nothing was ever heard is for `backfill`."""
    if one.state == "unknown":
        return one.created > datetime.now(UTC) - _EXPECTED_WITHIN
    return one.state not in TERMINAL_STATES


def messages_in_flight(connection: Connection) -> int:
    return sum(connection.undelivered(name) for name in SERVICES)
