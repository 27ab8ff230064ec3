"""The one place that turns the end of some work into an acknowledgement, a nack or a dead letter."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from services.shared.deadline import within
from services.shared.errors import Permanent
from services.shared.google_errors import classify, is_crash
from services.shared.journal import Event, Journal
from services.shared.logs import trace_fields, traceparent
from services.shared.messages.dead_letter import dead_letter_of
from services.shared.messages.push import Envelope, read_envelope
from services.shared.publisher import Bus
from services.shared.settings import Settings

Response = tuple[str, int]
ACK: Response = ("", 204)


@dataclass
class Work:
    """One delivery being worked on. `about` and `timings` are filled in as they become known."""

    envelope: Envelope
    traceparent: str
    about: dict[str, object] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds each step took."""
    facts: dict[str, object] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    """What the journal is told, in one write, when the delivery ends, however it ends."""

    def happened(self, event: str, **detail: object) -> None:
        self.events.append(Event(event, detail))


Handler = Callable[[Work], str]
"""Does the work, returns its outcome in a word; raises Permanent, Transient or any error of Google's."""


def settle(body: bytes, handler: Handler, settings: Settings, bus: Bus, journal: Journal) -> Response:
    """Run a handler on a push body and answer Pub/Sub: 204 done or dead-lettered, 503 try again."""
    started = time.monotonic()
    try:
        envelope = read_envelope(body)
    except Permanent as error:
        # Unreadable as an envelope: the body itself is the original.
        handler, failure = _fail_with(error), Envelope(body, {}, "", "", 1)
        envelope = failure
    work = Work(envelope, traceparent(envelope.attributes))
    log = structlog.get_logger().bind(
        service=settings.service,
        message_id=envelope.message_id,
        attempt=envelope.attempt,
        **trace_fields(settings.project, work.traceparent),
    )
    try:
        try:
            with within(settings.budget_seconds):
                outcome = handler(work)
        except Exception as error:
            kind = classify(error)
            if not isinstance(kind, Permanent):
                raise
            _dead_letter(work, kind, settings, bus)
            log = log.bind(reason=kind.reason, error=kind.detail)
            outcome = "dead_lettered"
    except Exception as error:
        fields = {"error": str(classify(error)), **_fields(work, started)}
        # A stack trace is what makes Error Reporting take a line for a crash.
        if is_crash(error):
            log.error("crash", exc_info=True, **fields)
        else:
            log.warning("transient", **fields)
        return "try again", 503
    finally:
        if work.events:
            journal.write([(event, work.about) for event in work.events])
    log.info(outcome, outcome=outcome, **_fields(work, started))
    return ACK


def _fields(work: Work, started: float) -> dict[str, object]:
    seconds = {**work.timings, "total": time.monotonic() - started}
    return {**work.about, **work.facts, "seconds": {k: round(v, 3) for k, v in seconds.items()}}


def _fail_with(error: Permanent) -> Handler:
    def fail(_: Work) -> str:
        raise error

    return fail


def _dead_letter(work: Work, error: Permanent, settings: Settings, bus: Bus) -> None:
    about = {name: str(value) for name, value in work.about.items()}
    data, attributes = dead_letter_of(work.envelope, settings.service, error, about)
    letter_id = bus.publish(settings.dead_letter_topic, data, attributes)
    work.happened("dead_lettered", reason=error.reason, error=error.detail, dead_letter_id=letter_id)
