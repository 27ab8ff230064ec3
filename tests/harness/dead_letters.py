"""Dead letters made by tests, put straight on their topics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.harness.pipeline import Pipeline

INGEST_DEAD_LETTERS, MERGE_DEAD_LETTERS = "ingest-dead-letter", "merge-dead-letter"
"""Topics, and the subscriptions of the same names."""

_FORWARDED = {
    "CloudPubSubDeadLetterSourceDeliveryCount": "20",
    "CloudPubSubDeadLetterSourceSubscriptionProject": "local",
}


def ours(name: str, reason: str = "wrong_header", **more: str) -> dict[str, str]:
    """Attributes as ingest's dead letter of an object has them; the original would be ignored if replayed."""
    return {
        "eventType": "OBJECT_METADATA_UPDATE",
        "bucketId": "landing",
        "objectId": name,
        "objectGeneration": "5",
        "dropmerge_reason": reason,
        "dropmerge_error": "first line\nsecond line",
        **more,
    }


def put(
    pipeline: Pipeline, attributes: Mapping[str, str], topic: str = INGEST_DEAD_LETTERS, data: bytes = b"{}"
) -> str:
    """Publish one dead letter; returns its id."""
    return pipeline.connection.publisher.publish(topic, [(data, attributes)])[0]


def forward(pipeline: Pipeline, message: Any, topic: str) -> str:
    """As Pub/Sub does after too many attempts; returns the dead letter's id."""
    return put(pipeline, {**message.attributes, **_FORWARDED}, topic, message.data)


def put_many(pipeline: Pipeline, count: int, size: int) -> set[bytes]:
    """Publish dead letters of `size` bytes, a multiple of 8, each with data of its own; returns the data."""
    data = [f"{n:08}".encode() * (size // 8) for n in range(count)]
    messages = [(one, ours(f"incoming/accounts/many-{n}.csv")) for n, one in enumerate(data)]
    pipeline.connection.publisher.publish(INGEST_DEAD_LETTERS, messages)
    return set(data)


def empty_dead_letters(pipeline: Pipeline) -> None:
    """Drop what other tests left on both subscriptions."""
    for name in (INGEST_DEAD_LETTERS, MERGE_DEAD_LETTERS):
        path = pipeline.connection.subscriber.subscription_path(pipeline.connection.project, name)
        pipeline.connection.subscriber.seek(request={"subscription": path, "time": datetime.now(UTC)})
