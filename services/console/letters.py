"""Dead letters as they lie in their subscriptions: read, replayed, discarded."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from google.api_core import exceptions as google
from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # has no types

from services.console.connection import Connection
from services.shared.dead_letter import PREFIX, original_of
from services.shared.feed import feed_for
from services.shared.journal import Journal

SERVICES = ("ingest", "merge")
_NATIVE = "CloudPubSubDeadLetter"
_BATCH = 500


@dataclass(frozen=True)
class Letter:
    id: str
    service: str
    reason: str
    error: str
    feed: str | None
    bucket: str | None
    object: str | None
    generation: int | None
    attempts: int
    dead_lettered_at: str
    replay_count: int
    data: bytes
    attributes: dict[str, str]
    """The original ones."""
    ack_id: str

    def public(self) -> dict[str, Any]:
        fields = asdict(self)
        del fields["ack_id"]
        return {**fields, "data": base64.b64encode(self.data).decode()}


def read_letters(connection: Connection, services: Iterable[str] = SERVICES) -> Iterator[list[Letter]]:
    """Batches of all waiting letters, leased. The caller acknowledges some; `give_back` the others.

    A pull counts an attempt, but these subscriptions have no dead-letter policy, so none is used up.
    """
    for service in services:
        path = connection.subscriber.subscription_path(connection.project, f"{service}-dead-letter")
        seen: set[str] = set()
        while True:
            try:
                answer = connection.subscriber.pull(subscription=path, max_messages=_BATCH, timeout=3.0, retry=None)
            except google.DeadlineExceeded:
                break
            fresh = [m for m in answer.received_messages if m.message.message_id not in seen]
            if not fresh:
                break
            seen.update(m.message.message_id for m in fresh)
            yield [_letter(connection, service, m) for m in fresh]


def give_back(connection: Connection, letters: Iterable[Letter]) -> None:
    """End the leases at once, so that the next command sees the letters."""
    for service, ids in _by_service(letters).items():
        path = connection.subscriber.subscription_path(connection.project, f"{service}-dead-letter")
        for start in range(0, len(ids), _BATCH):
            connection.subscriber.modify_ack_deadline(
                subscription=path, ack_ids=ids[start : start + _BATCH], ack_deadline_seconds=0
            )


def acknowledge(connection: Connection, letters: Iterable[Letter]) -> None:
    for service, ids in _by_service(letters).items():
        path = connection.subscriber.subscription_path(connection.project, f"{service}-dead-letter")
        for start in range(0, len(ids), _BATCH):
            connection.subscriber.acknowledge(subscription=path, ack_ids=ids[start : start + _BATCH])


def replay(connection: Connection, letter: Letter, journal: Journal, who: str) -> str:
    """Publish the original to the topic it came from, record, acknowledge: in this order, nothing is lost."""
    source = connection.topology["subscriptions"][letter.service]["topic"]
    attributes = {
        **letter.attributes,
        "replay_of": letter.id,
        "replay_count": str(letter.replay_count + 1),
    }
    topic = connection.publisher.topic_path(connection.project, source)
    message_id = str(connection.publisher.publish(topic, letter.data, **attributes).result(timeout=60))
    journal.record("replayed", _about(letter), dead_letter_id=letter.id, message_id=message_id, who=who)
    acknowledge(connection, [letter])
    return message_id


def discard(connection: Connection, letter: Letter, journal: Journal, who: str, why: str) -> None:
    journal.record("discarded", _about(letter), dead_letter_id=letter.id, who=who, why=why)
    acknowledge(connection, [letter])


def _about(letter: Letter) -> dict[str, object]:
    return {n: getattr(letter, n) for n in ("feed", "bucket", "object", "generation")}


def _by_service(letters: Iterable[Letter]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for letter in letters:
        ids.setdefault(letter.service, []).append(letter.ack_id)
    return ids


def _whole_number(text: str | None) -> int | None:
    # Anyone may have written the attribute.
    return int(text) if text and re.fullmatch(r"[0-9]{1,19}", text) else None


def _letter(connection: Connection, service: str, received: pubsub_v1.types.ReceivedMessage) -> Letter:
    message = received.message
    attributes = dict(message.attributes)
    data, whole = original_of(message.data, attributes)
    ours = {k.removeprefix(PREFIX): v for k, v in attributes.items() if k.startswith(PREFIX)}
    original = {
        k: v
        for k, v in whole.items()
        if not k.startswith((PREFIX, _NATIVE, "googclient_")) and k not in ("replay_of", "replay_count")
    }
    bucket = ours.get("bucket") or original.get("bucketId")
    name = ours.get("object") or original.get("objectId")
    generation = ours.get("generation") or original.get("objectGeneration") or ""
    feed = ours.get("feed") or original.get("feed")
    if feed is None and name:
        matching = feed_for(connection.feeds, name)
        feed = matching.feed if matching else None
    published = message.publish_time
    return Letter(
        id=message.message_id,
        service=ours.get("service", service),
        reason=ours.get("reason", "delivery_attempts_exhausted"),
        error=ours.get("error", "Pub/Sub gave up; the service's log has each attempt's error"),
        feed=feed,
        bucket=bucket,
        object=name,
        generation=_whole_number(generation),
        attempts=_whole_number(ours.get("attempt") or attributes.get(f"{_NATIVE}SourceDeliveryCount")) or 1,
        dead_lettered_at=ours.get("dead_lettered_at")
        or datetime.fromtimestamp(published.timestamp(), UTC).isoformat().replace("+00:00", "Z"),
        replay_count=_whole_number(whole.get("replay_count")) or 0,
        data=data,
        attributes=original,
        ack_id=received.ack_id,
    )
