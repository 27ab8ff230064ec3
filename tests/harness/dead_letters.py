"""Dead letters made by tests, put straight on their topics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.shared.errors import PermanentError
from services.shared.messages.dead_letter import DeadLetter
from services.shared.messages.push import PushMessage
from tests.harness.pipeline import Pipeline
from tests.harness.subscription import wait_until

INGEST_DEAD_LETTERS, MERGE_DEAD_LETTERS = "ingest-dead-letter", "merge-dead-letter"
"""Topics, and the subscriptions of the same names."""

_FORWARDED = {
    "CloudPubSubDeadLetterSourceDeliveryCount": "20",
    "CloudPubSubDeadLetterSourceSubscriptionProject": "local",
}


_STAGED = json.dumps({"feed": "f", "bucket": "bucket", "object": "é\0😀", "generation": 7}).encode()
_FULL = PushMessage(b"{}", {f"k{n}": "v" for n in range(98)} | {"objectId": "w", "replay_of": "3"}, "7", "s", 1)
_WRAPPED = DeadLetter.of(_FULL, "ingest", PermanentError("no_feed", "x" * 3000), {"load_id": "l"}, "c").encode()

HOSTILE: list[tuple[str, bytes, Mapping[str, str]]] = [
    ("ingest", b"{}", {"bucketId": "bucket", "objectId": 'it\'s "a"\\ \0 \u2028 😀 {}[]$.x', "objectGeneration": "5"}),
    ("ingest", b"\xff\xfe", {"dropmerge_reason": "", "dropmerge_error": "line\nline", "dropmerge_attempt": "many"}),
    ("ingest", b"not json", {"dropmerge_whole": "true", "objectId": "o", "dropmerge_generation": "9" * 900}),
    ("ingest", *_WRAPPED),
    ("ingest", b"", {"dropmerge_dead_lettered_at": "yesterday", "replay_count": "-1", "replay_of": "1"}),
    ("ingest", b"", {"dropmerge_dead_lettered_at": "2026-01-02T03:04:05.678901Z", "dropmerge_attempt": "0"}),
    ("ingest", b"[]", {"dropmerge_whole": "", "replay_of": "2", "dropmerge_undo_of": "5", "replay_count": "2"}),
    ("merge", _STAGED, {"CloudPubSubDeadLetterSourceDeliveryCount": "20", "k.e'y\"": "v"}),
    ("merge", b"m", {"feed": "g", "objectId": "o", "dropmerge_bucket": "", "dropmerge_attempt": "²"}),
    ("merge", b"\xff", {"dropmerge_feed": "h", "dropmerge_contract": "", "dropmerge_object": "of ours"}),
]
"""Of which service, data and attributes: what anyone may publish to a dead-letter topic."""


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
    """Drop what other tests left on both subscriptions, and in the table."""
    for name in (INGEST_DEAD_LETTERS, MERGE_DEAD_LETTERS):
        path = pipeline.connection.subscriber.subscription_path(pipeline.connection.project, name)
        pipeline.connection.subscriber.seek(request={"subscription": path, "time": datetime.now(UTC)})
    wait_for_the_table(pipeline)
    pipeline.connection.rows("DELETE FROM `ops.dead_letter_messages` WHERE TRUE")


def wait_for_the_table(pipeline: Pipeline) -> None:
    """Until every dead letter that was published is in it."""
    names = (f"{INGEST_DEAD_LETTERS}-table", f"{MERGE_DEAD_LETTERS}-table")
    wait_until(lambda: not any(map(pipeline.connection.undelivered, names)), "written to the table")
