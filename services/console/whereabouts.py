"""Where loads are, told from the bucket, the ledger and the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.console.connection import Connection
from services.console.events import CLOCKS
from services.console.options import SERVICES
from services.shared.feed import feed_for
from services.shared.load import Load

ENDED = {"merged", "dead_lettered", "superseded", "ignored"}
_EXPECTED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Whereabouts:
    feed: str | None
    bucket: str
    object: str
    generation: int
    load_id: str | None
    state: str
    created: datetime


def landed(connection: Connection) -> list[Any]:
    """The live objects under the landing prefix."""
    prefix = connection.topology["buckets"]["landing"]["prefix"]
    return list(connection.storage.list_blobs(connection.landing, prefix=prefix))


def latest_events(connection: Connection, since: datetime) -> dict[tuple[str, str, int], str]:
    """The journal's last word on each object generation, from `since` on. A discarded dead letter stays one."""
    rows = connection.rows(
        "SELECT bucket, object, generation, event FROM `ops.journal`"
        " WHERE object IS NOT NULL AND event != 'discarded' AND `at` >= @since"
        " QUALIFY ROW_NUMBER() OVER (PARTITION BY bucket, object, generation ORDER BY `at` DESC) = 1",
        {"since": ("TIMESTAMP", since)},
    )
    return {(row["bucket"], row["object"], row["generation"]): row["event"] for row in rows}


def merged_loads(connection: Connection, since: datetime) -> set[str]:
    """Load ids of the ledger, merged from `since` on."""
    rows = connection.rows(
        "SELECT load_id FROM `ops.ledger` WHERE merged_at >= @since", {"since": ("TIMESTAMP", since)}
    )
    return {row["load_id"] for row in rows}


def whereabouts(connection: Connection, blobs: list[Any]) -> list[Whereabouts]:
    """Where each of these objects is. Nothing can have happened to them before the oldest was made."""
    if not blobs:
        return []
    since = min(blob.time_created for blob in blobs) - CLOCKS
    events, merged = latest_events(connection, since), merged_loads(connection, since)
    found = []
    for blob in blobs:
        feed = feed_for(connection.feeds, blob.name)
        key = (blob.bucket.name, blob.name, int(blob.generation))
        load_id = Load(feed.feed, *key).load_id if feed else None
        if load_id in merged:
            state = "merged"
        elif blob.name.endswith("/"):
            state = "ignored"
        else:
            state = events.get(key, "unknown")
        found.append(Whereabouts(feed.feed if feed else None, *key, load_id, state, blob.time_created))
    return found


def is_moving(one: Whereabouts) -> bool:
    """Not at an end. An object older than ten minutes of which nothing was ever heard is for `backfill`."""
    if one.state == "unknown":
        return one.created > datetime.now(UTC) - _EXPECTED_WITHIN
    return one.state not in ENDED


def in_flight(connection: Connection) -> tuple[list[Whereabouts], int]:
    """Objects that have not come to an end, and messages not acknowledged.

    Upstream is asked before downstream, so that nothing slips past between two questions.
    """
    blobs = landed(connection)
    messages = messages_in_flight(connection)
    return [one for one in whereabouts(connection, blobs) if is_moving(one)], messages


def messages_in_flight(connection: Connection) -> int:
    return sum(connection.undelivered(name) for name in SERVICES)
