"""Runs a handler on one Pub/Sub delivery and maps the outcome to ack, nack or dead letter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from services.shared.deadline import time_limit
from services.shared.errors import PermanentError, TransientError
from services.shared.google_errors import classify, is_unexpected
from services.shared.journal import Event, Journal
from services.shared.labels import working_on
from services.shared.messages.dead_letter import DeadLetter
from services.shared.messages.push import PushMessage
from services.shared.publisher import Publisher
from services.shared.settings import Settings
from services.shared.trace import trace_fields, traceparent

Response = tuple[str, int]
ACK: Response = ("", 204)
_MAY_ARRIVE = ("access_denied", "not_found")
"""Reasons that a grant, a dataset or a bucket on its way causes, and that pass with it."""


@dataclass
class Delivery:
    """One delivery being worked on. `subject`, `log_fields`, `timings` and `events` are filled in on the way."""

    message: PushMessage
    traceparent: str
    fault: PermanentError | None = None
    """Why the push body could not be read: then the message is the body as it came."""
    subject: dict[str, object] = field(default_factory=dict)
    """What is known of feed, load_id, bucket, object and generation."""
    contract: str | None = None
    """The fingerprint of the contract by which the service works on it."""
    log_fields: dict[str, object] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds of each step."""
    events: list[Event] = field(default_factory=list)
    """They are written to the journal at once when the delivery ends, however it ends."""
    started: float = field(default_factory=time.monotonic)

    def record_event(self, event: str, **detail: object) -> None:
        self.events.append(Event(event, {**self._known, **detail}))

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Measures a step, also one that fails."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.timings[step] = time.monotonic() - started

    def all_fields(self) -> dict[str, object]:
        """For the log line."""
        seconds = {**self.timings, "total": time.monotonic() - self.started}
        return {
            **self.subject,
            **self._known,
            **self.log_fields,
            "seconds": {step: round(took, 3) for step, took in seconds.items()},
        }

    @property
    def _known(self) -> dict[str, object]:
        return {"contract": self.contract} if self.contract else {}


Handler = Callable[[Delivery], str]
"""Does the work and returns its outcome in a word; raises PermanentError, TransientError or any other error."""


def handle(body: bytes, handler: Handler, settings: Settings, publisher: Publisher, journal: Journal) -> Response:
    """Run a handler on a push body and answer Pub/Sub: 204 done or dead-lettered, 503 try again."""
    delivery = _receive(body)
    log = _logger(delivery, settings)
    try:
        outcome = _run(delivery, handler, settings, publisher)
    except Exception as error:
        _log_failure(log, error, delivery)
        _record(delivery, journal, is_once=True)
        return "try again", 503
    _record(delivery, journal)
    log.info(outcome, outcome=outcome, **delivery.all_fields())
    return ACK


def _receive(body: bytes) -> Delivery:
    try:
        message = PushMessage.decode(body)
    except PermanentError as error:
        # The body itself is the original.
        return Delivery(PushMessage(body, {}, "", "", 1), traceparent({}), error)
    return Delivery(message, traceparent(message.attributes))


def _logger(delivery: Delivery, settings: Settings) -> Any:
    return structlog.get_logger().bind(
        service=settings.service,
        message_id=delivery.message.message_id,
        attempt=delivery.message.attempt,
        **trace_fields(settings.project, delivery.traceparent),
    )


def _run(delivery: Delivery, handler: Handler, settings: Settings, publisher: Publisher) -> str:
    """The outcome, `dead_lettered` among them. Raises what may pass by repeating."""
    try:
        if delivery.fault:
            raise delivery.fault
        with time_limit(settings.budget_seconds), working_on(delivery.subject):
            return handler(delivery)
    except Exception as error:
        kind = classify(error)
        if not isinstance(kind, PermanentError):
            raise
        if kind.reason in _MAY_ARRIVE and delivery.message.age(datetime.now(UTC)) < settings.patience_seconds:
            minutes = f"{settings.patience_seconds / 60:g} min"
            raise TransientError(f"{kind.detail} (tried again until the message is {minutes} old)") from error
        _dead_letter(delivery, kind, settings, publisher)
        return "dead_lettered"


def _dead_letter(delivery: Delivery, error: PermanentError, settings: Settings, publisher: Publisher) -> None:
    dead_letter = DeadLetter.of(delivery.message, settings.service, error, delivery.subject, delivery.contract)
    (dead_letter_id,) = publisher.publish(settings.dead_letter_topic, [dead_letter.encode()])
    delivery.record_event("dead_lettered", reason=error.reason, error=error.detail, dead_letter_id=dead_letter_id)
    delivery.log_fields.update(reason=error.reason, error=error.detail)


def _record(delivery: Delivery, journal: Journal, is_once: bool = False) -> None:
    if delivery.events:
        journal.write([(event, delivery.subject) for event in delivery.events], is_once)


def _log_failure(log: Any, error: Exception, delivery: Delivery) -> None:
    """To the log, and as the event `failed`, which decides nothing: the delivery is repeated."""
    reason = str(classify(error))
    if delivery.subject:
        delivery.record_event("failed", attempt=delivery.message.attempt, error=reason)
    fields = {"error": reason, **delivery.all_fields()}
    # A stack trace is what makes Error Reporting take a line for a crash.
    if is_unexpected(error):
        log.error("crash", exc_info=error, **fields)
    else:
        log.warning("transient", **fields)
