"""What the topology relies on in Pub/Sub."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from deploy import topology
from deploy.google.probe.question import Answer, Question
from deploy.google.probe.scratch import Scratch

_SEEK_SECONDS = 90.0
"""For which a message that is to come back is waited for."""


def questions() -> Iterator[Question]:
    for name, settings in topology.read().subscriptions.items():
        if "to_table" not in settings:
            yield Question(
                f"subscription_{name.replace('-', '_')}",
                f"a subscription with the settings of {name}",
                "subscriptions.create with topology.yaml's deadline, retention, retry and dead-letter policy",
                "Terraform's apply asks the same, an hour later.",
                partial(_subscription, name=name, settings=settings),
                finding=2,
                expected=("as asked",),
            )
    yield Question(
        "seek_back",
        "a seek to before an acknowledged message, of a topic that keeps a week",
        "subscriptions.seek",
        "After an outage a subscription may be set back to before it.",
        _seek_back,
        finding=18,
        expected=("delivered again",),
        only_google=True,
    )


def _request(scratch: Scratch, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "name": scratch.subscription(name),
        "topic": scratch.topic,
        "ack_deadline_seconds": settings["ack_deadline_seconds"],
        "message_retention_duration": timedelta(seconds=settings["retention_seconds"]),
        "expiration_policy": {},
    }
    if retry := settings.get("retry"):
        request["retry_policy"] = {
            "minimum_backoff": timedelta(seconds=retry["minimum_backoff_seconds"]),
            "maximum_backoff": timedelta(seconds=retry["maximum_backoff_seconds"]),
        }
    if letters := settings.get("dead_letter"):
        attempts = letters["max_delivery_attempts"]
        request["dead_letter_policy"] = {"dead_letter_topic": scratch.topic, "max_delivery_attempts": attempts}
    return request


def _subscription(scratch: Scratch, name: str, settings: Mapping[str, Any]) -> Answer:
    request = _request(scratch, name, settings)
    subscriber = scratch.clients.subscriber
    subscriber.create_subscription(request=request)
    found = subscriber.get_subscription(subscription=request["name"])
    differs = [key for key, value in request.items() if not _is_like(getattr(found, key), value)]
    return Answer(f"differs in {', '.join(differs)}" if differs else "as asked")


def _is_like(found: Any, asked: Any) -> bool:
    """Of a policy its own fields alone are looked at."""
    if isinstance(asked, dict):
        return all(_is_like(getattr(found, key), value) for key, value in asked.items())
    return bool(found == asked)


def _seek_back(scratch: Scratch) -> Answer:
    """https://cloud.google.com/pubsub/docs/replay-overview#seek_to_a_time"""
    subscriber, name = scratch.clients.subscriber, scratch.subscription("seek")
    subscriber.create_subscription(request={"name": name, "topic": scratch.topic, "retain_acked_messages": False})
    before = datetime.now(UTC) - timedelta(minutes=1)
    scratch.clients.publisher.publish(scratch.topic, b"probe").result(timeout=60)
    if not _pull(subscriber, name):
        return Answer("never delivered")
    subscriber.seek(request={"subscription": name, "time": before})
    return Answer("delivered again" if _pull(subscriber, name) else "not delivered again")


def _pull(subscriber: Any, name: str) -> bool:
    """Whether a message comes; it is acknowledged."""
    until = time.monotonic() + _SEEK_SECONDS
    while time.monotonic() < until:
        received = subscriber.pull(subscription=name, max_messages=10, timeout=_SEEK_SECONDS).received_messages
        if received:
            subscriber.acknowledge(subscription=name, ack_ids=[one.ack_id for one in received])
            return True
    return False
