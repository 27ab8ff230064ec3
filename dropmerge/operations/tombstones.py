"""Old deletes, forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import UsageError
from dropmerge.operations.queries import statement

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed


@dataclass(frozen=True)
class OldTombstones:
    """Of a feed's main table, merged before a time."""

    feed: Feed
    before: datetime
    count: int


def find_old_tombstones(connection: Connection, older_than: timedelta, feed: str | None) -> list[OldTombstones]:
    """Of this feed, or of each that has deletes. Raises UsageError where a dead letter may be older."""
    least = _retention(connection)
    if older_than < least:
        raise UsageError(
            f"--older-than is less than the {least.days} days for which a dead letter is kept: "
            "a dead letter replayed after the purge could bring a deleted key back"
        )
    before = datetime.now(UTC) - older_than
    chosen: Sequence[Feed] = (
        [connection.feed(feed)]
        if feed
        else [one for one in connection.feeds.values() if one.delete or one.mode == "snapshot"]
    )
    return [OldTombstones(one, before, _count(connection, one, before)) for one in chosen]


def purge(connection: Connection, tombstones: OldTombstones) -> None:
    """Remove them, and record who did it."""
    feed, before = tombstones.feed, tombstones.before
    connection.warehouse.query(statement("purge_tombstones.sql", feed=feed), _parameters(feed, before))
    connection.journal.record("purged", {"feed": feed.name}, tombstones=tombstones.count, before=before)


def _retention(connection: Connection) -> timedelta:
    topology = connection.topology
    waiting = [topology.subscriptions[topology.dead_letter_subscription(service)] for service in SERVICES]
    return timedelta(seconds=max(one["retention_seconds"] for one in waiting))


def _count(connection: Connection, feed: Feed, before: datetime) -> int:
    rows = connection.query("count_tombstones.sql", _parameters(feed, before), feed=feed)
    return int(rows[0]["n"]) if rows else 0


def _parameters(feed: Feed, before: datetime) -> dict[str, tuple[str, Any]]:
    return {"feed": ("STRING", feed.name), "before": ("TIMESTAMP", before)}
