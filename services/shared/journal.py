"""The journal: append-only events about loads, for people. Nothing else reads it to decide."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from google.api_core import exceptions
from google.cloud import bigquery

from services.shared.datasets import OPS
from services.shared.labels import service_labels
from services.shared.tables import table

# Google's default would hold up a load for ten minutes.
_RETRY = bigquery.DEFAULT_RETRY.with_timeout(10.0)
_TIMEOUT, _TIMEOUT_ONCE = 30.0, 5.0
_SUBJECT = ("load_id", "feed", "bucket", "object", "generation")


@dataclass(frozen=True)
class Event:
    name: str
    detail: Mapping[str, object] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Operation:
    """One run of a command that changes something. Its events share the id."""

    who: str
    """The account of the credentials."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])


class Journal:
    def __init__(self, client: bigquery.Client, service: str, operation: Operation | None = None) -> None:
        self._client = client
        self._table = f"{client.project}.{OPS}.journal"
        self._service = service
        self._operation = operation

    def record(self, event: str, subject: Mapping[str, object], **detail: object) -> None:
        """Write one event that happened now. `subject`: what is known of load_id, feed, bucket, object, generation."""
        self.write([(Event(event, detail), subject)])

    def write(self, events: Sequence[tuple[Event, Mapping[str, object]]], is_once: bool = False) -> bool:
        """One streamed write, no DML. Failures are logged and ignored: the journal must not delay a load.

        `is_once`: try only once and for some seconds, where the warehouse may be what has just failed.
        Returns whether the events are written.
        """
        if not events:
            return True
        try:
            self._append([self._row(event, subject) for event, subject in events], is_once)
        except Exception as error:
            names = [event.name for event, _ in events]
            structlog.get_logger().warning("journal not written", error=str(error), journal_events=names)
            return False
        return True

    def _row(self, event: Event, subject: Mapping[str, object]) -> dict[str, object]:
        return {
            "happened_at": event.at.isoformat(),
            "event": event.name,
            "service": self._service,
            **{name: subject.get(name) for name in _SUBJECT},
            "who": self._operation.who if self._operation else None,
            "operation_id": self._operation.id if self._operation else None,
            "detail": json.dumps(event.detail, default=str),
        }

    def _append(self, rows: Sequence[Mapping[str, object]], is_once: bool) -> None:
        try:
            self._insert(rows, is_once)
        except exceptions.NotFound:
            made = table(self._client.project, "journal")
            made.labels = service_labels(self._service)
            self._client.create_table(made, exists_ok=True)
            self._insert(rows, is_once)

    def _insert(self, rows: Sequence[Mapping[str, object]], is_once: bool) -> None:
        retry, timeout = (None, _TIMEOUT_ONCE) if is_once else (_RETRY, _TIMEOUT)
        errors = self._client.insert_rows_json(self._table, rows, retry=retry, timeout=timeout)  # type: ignore[arg-type]  # None: no retry
        if errors:
            raise ValueError(str(errors))
