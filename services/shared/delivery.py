"""The one place that turns the end of some work into an acknowledgement, a nack or a dead letter."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from services.shared.deadline import time_limit
from services.shared.errors import PermanentError
from services.shared.google_errors import classify, is_unexpected
from services.shared.journal import Event, Journal
from services.shared.logs import trace_fields, traceparent
from services.shared.messages.dead_letter import DeadLetter
from services.shared.messages.push import PushMessage
from services.shared.publisher import Publisher
from services.shared.settings import Settings

Response = tuple[str, int]
ACK: Response = ("", 204)


@dataclass
class Delivery:
    """One delivery being worked on. `about` and `timings` are filled in as they become known."""

    message: PushMessage
    traceparent: str
    subject: dict[str, object] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds each step took."""
    log_fields: dict[str, object] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    """What the journal is told, in one write, when the delivery ends, however it ends."""

    def record_event(self, event: str, **detail: object) -> None:
        self.events.append(Event(event, detail))


Handler = Callable[[Delivery], str]
"""Does the work, returns its outcome in a word; raises Permanent, Transient or any error of Google's."""


def handle(body: bytes, handler: Handler, settings: Settings, publisher: Publisher, journal: Journal) -> Response:
    """Run a handler on a push body and answer Pub/Sub: 204 done or dead-lettered, 503 try again."""
    started = time.monotonic()
    try:
        message = PushMessage.decode(body)
    except PermanentError as error:
        # Unreadable as an envelope: the body itself is the original.
        handler, failure = _fail_with(error), PushMessage(body, {}, "", "", 1)
        message = failure
    delivery = Delivery(message, traceparent(message.attributes))
    log = structlog.get_logger().bind(
        service=settings.service,
        message_id=message.message_id,
        attempt=message.attempt,
        **trace_fields(settings.project, delivery.traceparent),
    )
    try:
        try:
            with time_limit(settings.budget_seconds):
                outcome = handler(delivery)
        except Exception as error:
            kind = classify(error)
            if not isinstance(kind, PermanentError):
                raise
            _dead_letter(delivery, kind, settings, publisher)
            log = log.bind(reason=kind.reason, error=kind.detail)
            outcome = "dead_lettered"
    except Exception as error:
        fields = {"error": str(classify(error)), **_fields(delivery, started)}
        # A stack trace is what makes Error Reporting take a line for a crash.
        if is_unexpected(error):
            log.error("crash", exc_info=True, **fields)
        else:
            log.warning("transient", **fields)
        return "try again", 503
    finally:
        if delivery.events:
            journal.write([(event, delivery.subject) for event in delivery.events])
    log.info(outcome, outcome=outcome, **_fields(delivery, started))
    return ACK


def _fields(delivery: Delivery, started: float) -> dict[str, object]:
    seconds = {**delivery.timings, "total": time.monotonic() - started}
    return {**delivery.subject, **delivery.log_fields, "seconds": {k: round(v, 3) for k, v in seconds.items()}}


def _fail_with(error: PermanentError) -> Handler:
    def fail(_: Delivery) -> str:
        raise error

    return fail


def _dead_letter(delivery: Delivery, error: PermanentError, settings: Settings, publisher: Publisher) -> None:
    letter = DeadLetter.of(delivery.message, settings.service, error, delivery.subject)
    (letter_id,) = publisher.publish(settings.dead_letter_topic, [letter.encode()])
    delivery.record_event("dead_lettered", reason=error.reason, error=error.detail, dead_letter_id=letter_id)
