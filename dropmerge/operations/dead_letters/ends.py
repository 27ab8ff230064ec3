"""What became of a dead letter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection


class LetterState(StrEnum):
    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    EXPIRED = "expired"
    """Nobody acted while its subscription kept it."""
    UNKNOWN = "unknown"
    """It cannot be found where it should wait, and the journal has no end of it."""


@dataclass(frozen=True)
class End:
    state: LetterState
    at: datetime | None = None
    who: str | None = None
    why: str | None = None
    came_back_as: str | None = None
    """The dead letter that its replay became, where that failed again."""
    undone_as: str | None = None
    """The dead letter as which it waits again, where its discard was taken back."""

    def is_within(self, age: timedelta) -> bool:
        """Whether it came not longer ago than that."""
        return self.at is not None and self.at >= datetime.now(UTC) - age

    def as_json(self) -> dict[str, str | None]:
        """Keys state, ended_at, ended_by, why, came_back_as, undone_as; times as RFC 3339."""
        return {
            "state": self.state.value,
            "ended_at": self.at.isoformat() if self.at else None,
            "ended_by": self.who,
            "why": self.why,
            "came_back_as": self.came_back_as,
            "undone_as": self.undone_as,
        }


WAITING = End(LetterState.WAITING)


def retention(connection: Connection) -> timedelta:
    """How long a dead letter waits for somebody: the subscriptions keep it no longer."""
    topology = connection.topology
    waiting = [topology.subscriptions[topology.dead_letter_subscription(service)] for service in SERVICES]
    return timedelta(seconds=min(one["retention_seconds"] for one in waiting))


def read_ends(connection: Connection, ids: Iterable[str]) -> dict[str, End]:
    """How those of these dead letters ended that the journal knows of, by their ids."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    since = datetime.now(UTC) - 2 * retention(connection)
    rows = connection.query(
        "dead_letter_ends.sql", {"ids": ("STRING", ",".join(wanted)), "since": ("TIMESTAMP", since)}
    )
    return {row["id"]: end_of(row) for row in rows}


def end_of(row: Any) -> End:
    """Of a row with the columns event, happened_at, who, why."""
    return End(LetterState(row["event"]), row["happened_at"], row["who"], row["why"])
