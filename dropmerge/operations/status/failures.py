"""Deliveries that failed for now: the attempt, the error, and when the next is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.events import LoadEvent, read_events
from dropmerge.operations.loads.states import FAILED
from dropmerge.operations.status.retries import delay_after
from dropmerge.operations.status.services import ServiceHealth, read_services
from services.shared.generation import ObjectGeneration

GOES_ON = ("staged", "sent_back", "announced", "replayed", "merged", "dead_lettered", "superseded")
"""Events after which an earlier failure is of the past."""


@dataclass(frozen=True)
class Failure:
    service: str
    attempt: int
    error: str
    at: datetime
    next_try_at: datetime
    """By the retry policy of the topology; an estimate on Google Cloud."""


@dataclass(frozen=True)
class Stuck:
    """Why a load that is in flight does not go on."""

    attempt: int | None
    """Of the delivery that failed last; None, as the next three, where none is known to have failed."""
    last_error: str | None
    failed_at: datetime | None
    next_try_at: datetime | None
    service_health: ServiceHealth
    """Of the service that it waits for."""

    def as_json(self) -> dict[str, Any]:
        """Keys attempt, last_error, failed_at, next_try_at, service."""
        times = {"failed_at": self.failed_at, "next_try_at": self.next_try_at}
        return {
            "attempt": self.attempt,
            "last_error": self.last_error,
            **{name: at.isoformat() if at else None for name, at in times.items()},
            "service": self.service_health.as_json(),
        }


def stuck(connection: Connection, source: ObjectGeneration, events: Sequence[LoadEvent] | None = None) -> Stuck:
    """What is known of a load in flight. `events`: those of `read_events`, if they have been read."""
    events = read_events(connection, source) if events is None else events
    failure = _current_failure(connection, events)
    service = failure.service if failure else _waits_for(events)
    health = read_services(connection)[service]
    if failure is None:
        return Stuck(None, None, None, None, health)
    return Stuck(failure.attempt, failure.error, failure.at, failure.next_try_at, health)


def read_failures(connection: Connection, since: datetime) -> dict[ObjectGeneration, Failure]:
    """The last failure of each object generation that has had one from `since` on and has not gone on after it."""
    parameters = {"since": ("TIMESTAMP", since), "goes_on": ("STRING", ",".join(GOES_ON))}
    return {
        ObjectGeneration(row["bucket"], row["object"], row["generation"]): _failure(
            connection, row["service"], row["happened_at"], {"attempt": row["attempt"], "error": row["error"]}
        )
        for row in connection.query("last_failures.sql", parameters)
    }


def _current_failure(connection: Connection, events: Sequence[LoadEvent]) -> Failure | None:
    known = [event for event in events if event.event in (FAILED, *GOES_ON)]
    if not known or known[-1].event != FAILED:
        return None
    return _failure(connection, known[-1].service, known[-1].at, known[-1].detail)


def _failure(connection: Connection, service: str, at: datetime, detail: Mapping[str, Any]) -> Failure:
    attempt = int(detail.get("attempt") or 1)
    topology = connection.topology
    delay = delay_after(topology.subscriptions[topology.push_subscription(service)], attempt)
    return Failure(service, attempt, str(detail.get("error") or ""), at, at + delay)


def _waits_for(events: Sequence[LoadEvent]) -> str:
    """Merge once it is staged, unless it was sent on its way again."""
    moves = [event.event for event in events if event.event in ("staged", "sent_back", "announced", "replayed")]
    return "merge" if moves and moves[-1] == "staged" else "ingest"
