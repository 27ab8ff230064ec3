"""Where loads are, told from the bucket, the ledger and the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.console.connection import Connection
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


def landed(connection: Connection) -> list[Any]:
    """The live objects under the landing prefix."""
    prefix = connection.topology["buckets"]["landing"]["prefix"]
    return list(connection.storage.list_blobs(connection.landing, prefix=prefix))


def latest_events(connection: Connection) -> dict[tuple[str, str, int], str]:
    """The journal's last word on each object generation; a discarded dead letter is one still."""
    rows = connection.rows(
        "SELECT bucket, object, generation, event FROM `ops.journal`"
        " WHERE object IS NOT NULL AND event != 'discarded'"
        " QUALIFY ROW_NUMBER() OVER (PARTITION BY bucket, object, generation ORDER BY `at` DESC) = 1"
    )
    return {(row["bucket"], row["object"], row["generation"]): row["event"] for row in rows}


def merged_loads(connection: Connection) -> dict[str, str]:
    """load_id to feed, from the ledger."""
    return {row["load_id"]: row["feed"] for row in connection.rows("SELECT load_id, feed FROM `ops.ledger`")}


def whereabouts(connection: Connection, blobs: list[Any]) -> list[Whereabouts]:
    events, merged = latest_events(connection), merged_loads(connection)
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
        found.append(Whereabouts(feed.feed if feed else None, *key, load_id, state))
    return found


def in_flight(connection: Connection) -> tuple[list[Whereabouts], int]:
    """Objects that have not come to an end, and messages not acknowledged.

    Upstream is asked before downstream, so that nothing slips past between two questions. An object older
    than ten minutes of which nothing was ever heard is for `backfill`, not for waiting.
    """
    blobs = landed(connection)
    messages = sum(connection.undelivered(name) for name in ("ingest", "merge"))
    recent = datetime.now(UTC) - _EXPECTED_WITHIN
    created = {(b.name, int(b.generation)): b.time_created for b in blobs}
    moving = [
        one
        for one in whereabouts(connection, blobs)
        if one.state not in ENDED and not (one.state == "unknown" and created[one.object, one.generation] < recent)
    ]
    return moving, messages
