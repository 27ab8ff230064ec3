"""What a delivery leaves in the journal when it fails for now, and when the journal itself does not answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.ingest.stage_file import Stager
from services.shared import logs
from services.shared.delivery import Delivery, Handler, handle
from services.shared.errors import TransientError
from services.shared.journal import Event
from services.shared.settings import Settings

_SETTINGS = Settings(
    GOOGLE_CLOUD_PROJECT="my-project", service="ingest", feeds=Path("feeds"), dead_letter_topic="ingest-dead-letter"
)  # type: ignore[call-arg]  # the rest has defaults


class _Journal:
    """Takes what is written, unless it is down."""

    def __init__(self, is_up: bool = True) -> None:
        self.is_up = is_up
        self.written: list[tuple[Event, bool]] = []

    def write(self, events: Sequence[tuple[Event, Mapping[str, object]]], is_once: bool = False) -> bool:
        self.written += [(event, is_once) for event, _ in events] if self.is_up else []
        return self.is_up


def _deliver(handler: Handler, journal: _Journal) -> int:
    message = {"data": base64.b64encode(b"{}").decode(), "messageId": "7", "publishTime": "2026-01-31T10:00:00.5Z"}
    body = json.dumps({"message": message, "deliveryAttempt": 3}).encode()
    missing: Any = None
    logs.set_up()
    return handle(body, handler, _SETTINGS, missing, journal)[1]  # type: ignore[arg-type]


def _fail(delivery: Delivery) -> str:
    delivery.subject["load_id"] = "x"
    delivery.record_event("pinned")
    raise TransientError("the warehouse is busy")


def test_a_delivery_that_fails_for_now_is_in_the_journal_with_its_attempt() -> None:
    """The journal is tried once: it may be what has failed, and the answer to Pub/Sub must not wait for it."""
    journal = _Journal()
    assert _deliver(_fail, journal) == 503
    (pinned, _), (failed, is_once) = journal.written
    assert (pinned.name, failed.name, is_once) == ("pinned", "failed", True)
    assert failed.detail == {"attempt": 3, "error": "the warehouse is busy"}


def test_an_arrival_that_could_not_be_recorded_is_recorded_with_the_rest() -> None:
    """It has the time at which it happened, and that of the message."""
    journal = _Journal(is_up=False)
    missing: Any = None
    stager = Stager(_SETTINGS, {}, missing, missing, missing, journal)  # type: ignore[arg-type]

    def arrive(delivery: Delivery) -> str:
        stager._record_arrival(delivery)
        journal.is_up = True
        delivery.record_event("pinned")
        return "staged"

    assert _deliver(arrive, journal) == 204
    (arrived, _), (pinned, _) = journal.written
    assert (arrived.name, arrived.detail) == ("arrived", {"attempt": 3, "published_at": "2026-01-31T10:00:00.5Z"})
    assert arrived.at <= pinned.at
