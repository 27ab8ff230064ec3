"""One dead letter, read from a message of a dead-letter subscription."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from services.shared.contract.pattern import feed_for
from services.shared.errors import PermanentError
from services.shared.messages.dead_letter import PREFIX, RESERVED_PREFIX, original_of
from services.shared.messages.staged import StagedMessage

if TYPE_CHECKING:
    from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # has no types

    from services.shared.contract.feed import Feed

_NATIVE = "CloudPubSubDeadLetter"
"""Of the attributes that Pub/Sub adds when it forwards after too many attempts
(https://cloud.google.com/pubsub/docs/handling-failures#track-delivery-attempts)."""
_STAMPS = ("replay_of", "replay_count")


@dataclass(frozen=True)
class DeadLetter:
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
    """RFC 3339, in UTC."""
    replay_of: str | None
    """The dead letter whose replay failed again, where there was one."""
    replay_count: int
    data: bytes
    attributes: Mapping[str, str]
    """The original ones: what was added on the way is taken off."""

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.dead_lettered_at)

    @property
    def first_line(self) -> str:
        return (self.error.splitlines() or [""])[0]

    @property
    def about(self) -> dict[str, Any]:
        """As the journal wants it."""
        return {name: getattr(self, name) for name in ("feed", "bucket", "object", "generation")}

    def summary(self) -> dict[str, Any]:
        """All but the message itself."""
        fields = asdict(self)
        del fields["data"], fields["attributes"]
        return fields

    def whole(self) -> dict[str, Any]:
        """With the attributes, and the data in base64 and, where it is text, as text."""
        return {
            **self.summary(),
            "attributes": dict(self.attributes),
            "data": base64.b64encode(self.data).decode(),
            "text": _text(self.data),
        }


def read_dead_letter(service: str, message: pubsub_v1.types.PubsubMessage, feeds: Mapping[str, Feed]) -> DeadLetter:
    """Either shape: ours with a reason, or Pub/Sub's own. Anyone may have published it: nothing in it is trusted."""
    attributes = dict(message.attributes)
    data, whole = original_of(message.data, attributes)
    ours = {k.removeprefix(PREFIX): v for k, v in attributes.items() if k.startswith(PREFIX)}
    original = {
        k: v for k, v in whole.items() if not k.startswith((PREFIX, _NATIVE, RESERVED_PREFIX)) and k not in _STAMPS
    }
    told = _staged(service, data) or {
        "feed": original.get("feed"),
        "bucket": original.get("bucketId"),
        "object": original.get("objectId"),
        "generation": original.get("objectGeneration"),
    }
    name = ours.get("object") or told["object"]
    feed = ours.get("feed") or told["feed"]
    if feed is None and name:
        matching = feed_for(feeds, name)
        feed = matching.name if matching else None
    return DeadLetter(
        id=message.message_id,
        service=service,
        reason=ours.get("reason", "delivery_attempts_exhausted"),
        error=ours.get("error", "Pub/Sub gave up; the service's log has each attempt's error"),
        feed=feed,
        bucket=ours.get("bucket") or told["bucket"],
        object=name,
        generation=_number(ours.get("generation") or told["generation"]),
        attempts=_number(ours.get("attempt")) or _number(attributes.get(f"{_NATIVE}SourceDeliveryCount")) or 1,
        dead_lettered_at=_time(ours.get("dead_lettered_at"), message.publish_time),
        replay_of=whole.get("replay_of"),
        replay_count=_number(whole.get("replay_count")) or 0,
        data=data,
        attributes=original,
    )


def _staged(service: str, data: bytes) -> dict[str, str | None] | None:
    """What the data of a staged message tells of its load, which its attributes do not."""
    if service != "merge":
        return None
    try:
        load = StagedMessage.decode(data).load
    except PermanentError:
        return None
    return {"feed": load.feed, "bucket": load.bucket, "object": load.object, "generation": str(load.generation)}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _time(text: str | None, published: datetime) -> str:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        moment = datetime.fromtimestamp(published.timestamp(), UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
