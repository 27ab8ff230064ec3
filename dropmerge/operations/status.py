"""How each feed stands: counts since the beginning, and what waits now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dropmerge.operations.backlog import waiting_dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.deployed import Deployed, read_deployed
from dropmerge.operations.loads.in_flight import InFlight
from dropmerge.operations.loads.states import State
from dropmerge.operations.loads.status import LoadStatus
from services.shared.load import staging_prefix


@dataclass(frozen=True)
class FileStatus:
    bucket: str
    object: str
    generation: int
    at: datetime
    """When the object was created."""
    state: State


@dataclass(frozen=True)
class FeedStatus:
    in_flight: int
    """Now, as `staged`; the other counts are since the beginning."""
    staged: int
    merged: int
    merged_last_hour: int
    merged_last_day: int
    superseded: int
    rejected_rows: int
    lost_in_file: int
    """Rows of merged files that lost to another row of their own file with the same key."""
    dead_letters: int
    """Ever, those that were replayed or discarded too."""
    last_file: FileStatus | None
    oldest_waiting: FileStatus | None


@dataclass(frozen=True)
class Status:
    feeds: Mapping[str, FeedStatus]
    dead_letters: int
    """That wait now."""
    messages_in_flight: int
    contracts: Deployed

    def as_json(self) -> dict[str, Any]:
        """Keys feeds, dead_letters, messages_in_flight, contracts; times as RFC 3339."""
        return {
            "feeds": {name: _feed_json(one) for name, one in self.feeds.items()},
            "dead_letters": self.dead_letters,
            "messages_in_flight": self.messages_in_flight,
            "contracts": self.contracts.as_json(),
        }


def read_status(connection: Connection, in_flight: InFlight) -> Status:
    """Six queries, whatever the number of feeds; listings and metrics cost none."""
    snapshot = in_flight.snapshot()
    merged = {row["feed"]: dict(row) for row in connection.ledger("count_merged.sql")}
    ended = {(row["feed"], row["event"]): row["n"] for row in connection.query("count_ended.sql")}
    rejected = {row["feed"]: row["n"] for row in connection.query("count_rejected.sql")}
    lost = {row["feed"]: row["n"] for row in connection.ledger("count_lost.sql")}
    staged = _staged(connection, snapshot.loads)
    feeds = {}
    for name in connection.feeds:
        own = [load for load in snapshot.loads if load.feed == name]
        counts = merged.get(name, {})
        exhausted = sum(load.dead_letter is not None for load in own)
        feeds[name] = FeedStatus(
            in_flight=sum(load.is_in_flight for load in own),
            staged=staged[name],
            merged=counts.get("merged", 0),
            merged_last_hour=counts.get("last_hour", 0),
            merged_last_day=counts.get("last_day", 0),
            superseded=ended.get((name, "superseded"), 0),
            rejected_rows=rejected.get(name, 0),
            lost_in_file=lost.get(name, 0),
            dead_letters=ended.get((name, "dead_lettered"), 0) + exhausted,
            last_file=_file(max(own, key=lambda load: load.created, default=None)),
            oldest_waiting=_file(
                min((load for load in own if load.is_in_flight), key=lambda load: load.created, default=None)
            ),
        )
    return Status(feeds, waiting_dead_letters(connection), snapshot.messages, read_deployed(connection))


def _staged(connection: Connection, loads: list[LoadStatus]) -> Counter[str]:
    """Staging tables that wait, by feed. One that was merged may take a moment to be dropped."""
    merged = tuple(
        f"{staging_prefix(load.load.feed)}{load.load.load_id}"
        for load in loads
        if load.load and load.state == State.MERGED
    )
    waiting = [table for table in connection.staging_tables() if not table.startswith(merged)]
    return Counter(
        {name: sum(table.startswith(staging_prefix(name)) for table in waiting) for name in connection.feeds}
    )


def _file(load: LoadStatus | None) -> FileStatus | None:
    if load is None:
        return None
    source = load.source
    return FileStatus(source.bucket, source.name, source.generation, load.created, load.state)


def _feed_json(feed: FeedStatus) -> dict[str, Any]:
    files = {"last_file": feed.last_file, "oldest_waiting": feed.oldest_waiting}
    return {
        **asdict(feed),
        **{name: {**asdict(one), "at": one.at.isoformat()} if one else None for name, one in files.items()},
    }
