"""A dead letter: the original bytes and attributes, with the reason beside them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from services.shared.contract.pattern import feed_for
from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration, is_bucket_name
from services.shared.load import Load
from services.shared.messages.push import PushMessage
from services.shared.messages.staged import StagedMessage

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed

PREFIX = "dropmerge_"
"""Attributes under this prefix are ours; everything else is as it arrived."""

RESERVED_PREFIX = "googclient_"
"""How attributes begin that a publisher may not set."""

_WRAPPED = f"{PREFIX}whole"
_NATIVE = "CloudPubSubDeadLetter"
"""Of the attributes that Pub/Sub adds when it forwards after too many attempts
(https://cloud.google.com/pubsub/docs/handling-failures#track-delivery-attempts)."""
_STAMPS = ("replay_of", "replay_count")
_SUBJECT = ("load_id", "feed", "bucket", "object", "generation")

# Of one message, by Pub/Sub's limits (https://cloud.google.com/pubsub/quotas#resource_limits).
_MAX_ATTRIBUTES = 100
_MAX_KEY_BYTES = 256
_MAX_VALUE_BYTES = 1024


class Message(Protocol):
    """A message as Pub/Sub's client delivers it, or as a table keeps it."""

    @property
    def message_id(self) -> str: ...
    @property
    def publish_time(self) -> datetime: ...
    @property
    def data(self) -> bytes: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a message became that could not be processed, and why."""

    id: str
    """Of its own message; empty before it is published."""
    service: str
    reason: str
    error: str
    load_id: str | None
    feed: str | None
    bucket: str | None
    object: str | None
    generation: int | None
    contract: str | None
    """The fingerprint of the contract by which the service worked on it; None where it had none yet."""
    attempts: int
    dead_lettered_at: str
    """RFC 3339, in UTC, to the millisecond."""
    message_id: str
    """Of the original message; empty where Pub/Sub dead-lettered it, which does not say."""
    replay_of: str | None
    """The dead letter whose replay failed again, where there was one."""
    replay_count: int
    data: bytes
    attributes: Mapping[str, str]
    """The original ones: what was added on the way is taken off."""

    @classmethod
    def of(
        cls,
        message: PushMessage,
        service: str,
        error: PermanentError,
        subject: Mapping[str, Any],
        contract: str | None = None,
    ) -> DeadLetter:
        """Of a message that this service cannot process. `subject`: what is known of load_id, feed, bucket, object,
        generation."""
        return cls(
            id="",
            service=service,
            reason=error.reason,
            error=error.detail,
            **{name: subject.get(name) for name in _SUBJECT},
            contract=contract,
            attempts=message.attempt,
            dead_lettered_at=_rfc3339(datetime.now(UTC)),
            message_id=message.message_id,
            replay_of=message.attributes.get("replay_of"),
            replay_count=_number(message.attributes.get("replay_count")) or 0,
            data=message.data,
            attributes=message.attributes,
        )

    def encode(self) -> tuple[bytes, dict[str, str]]:
        """Data and attributes of the message to publish: the original's, and what an operator needs to decide.

        An original whose attributes leave no room for ours, or that no publisher could send, is the data as a whole,
        in the form of a push body: `decode` opens it.
        """
        named = {PREFIX + name: _truncate(text) for name, text in self._own_attributes().items()}
        original = {key: text for key, text in self.attributes.items() if not key.startswith(RESERVED_PREFIX)}
        if len({**original, **named}) <= _MAX_ATTRIBUTES and all(map(_can_be_sent, original.items())):
            return self.data, {**original, **named}
        wrapped = {"data": base64.b64encode(self.data).decode(), "attributes": original}
        return json.dumps({"message": wrapped}).encode(), {**named, _WRAPPED: "true"}

    @classmethod
    def decode(cls, service: str, message: Message, feeds: Mapping[str, Feed]) -> DeadLetter:
        """From a message of the service's dead-letter topic, of either shape: ours, or Pub/Sub's own.

        Anyone may have published it: nothing in it is trusted. `feeds` name the feed that the message does not.
        """
        attributes = dict(message.attributes)
        data, whole = _unwrap(message.data, attributes)
        ours = {key.removeprefix(PREFIX): text for key, text in attributes.items() if key.startswith(PREFIX)}
        original = {key: text for key, text in whole.items() if not _was_added(key)}
        subject = {**_subject_of(service, data, original), **{name: ours[name] for name in _SUBJECT if ours.get(name)}}
        return cls(
            id=message.message_id,
            service=service,
            reason=ours.get("reason", "delivery_attempts_exhausted"),
            error=ours.get("error", "Pub/Sub stopped delivering it; the service's log has the error of each attempt"),
            load_id=subject.get("load_id"),
            feed=subject.get("feed") or _feed_of(feeds, subject.get("object")),
            bucket=_bucket(subject.get("bucket")),
            object=subject.get("object"),
            generation=_number(subject.get("generation")),
            contract=ours.get("contract"),
            attempts=_number(ours.get("attempt")) or _number(attributes.get(f"{_NATIVE}SourceDeliveryCount")) or 1,
            dead_lettered_at=_time(ours.get("dead_lettered_at"), message.publish_time),
            message_id=ours.get("message_id", ""),
            replay_of=whole.get("replay_of"),
            replay_count=_number(whole.get("replay_count")) or 0,
            data=data,
            attributes=original,
        )

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.dead_lettered_at)

    @property
    def first_line(self) -> str:
        return (self.error.splitlines() or [""])[0]

    @property
    def source(self) -> ObjectGeneration | None:
        """What it is about; None where it does not say all of it."""
        if self.bucket and self.object and self.generation:
            return ObjectGeneration(self.bucket, self.object, self.generation)
        return None

    @property
    def subject(self) -> dict[str, Any]:
        """As the journal wants it."""
        known = {name: getattr(self, name) for name in _SUBJECT}
        if self.feed and self.source:
            return {**known, "load_id": Load(self.feed, self.source).load_id}
        return known

    def summary(self) -> dict[str, Any]:
        """All but the message itself."""
        fields = asdict(self)
        for name in ("load_id", "message_id", "data", "attributes"):
            del fields[name]
        return fields

    def whole(self) -> dict[str, Any]:
        """With the attributes, and the data in base64 and, where it is text, as text."""
        return {
            **self.summary(),
            "attributes": dict(self.attributes),
            "data": base64.b64encode(self.data).decode(),
            "text": _text(self.data),
        }

    def _own_attributes(self) -> dict[str, str]:
        known = {name: getattr(self, name) for name in (*_SUBJECT, "contract")}
        return {
            "reason": self.reason,
            "error": self.error,
            "service": self.service,
            "attempt": str(self.attempts),
            "message_id": self.message_id,
            "dead_lettered_at": self.dead_lettered_at,
            **{name: str(value) for name, value in known.items() if value is not None},
        }


def _unwrap(data: bytes, attributes: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
    """The original data, and its attributes, still including our and Pub/Sub's attributes."""
    if _WRAPPED not in attributes:
        return data, attributes
    try:
        original = PushMessage.decode(data)
    except PermanentError:  # not ours: its sender chose our attribute's name
        return data, attributes
    return original.data, original.attributes


def _was_added(key: str) -> bool:
    return key.startswith((PREFIX, _NATIVE, RESERVED_PREFIX)) or key in _STAMPS


def _subject_of(service: str, data: bytes, attributes: Mapping[str, str]) -> dict[str, str | None]:
    """What the original says of its load: a staged message in its data, a notification in its attributes."""
    if service == "merge":
        try:
            load = StagedMessage.decode(data).load
        except PermanentError:
            pass
        else:
            return {"feed": load.feed, **{name: str(value) for name, value in load.source.fields.items()}}
    names = {"feed": "feed", "bucket": "bucketId", "object": "objectId", "generation": "objectGeneration"}
    return {name: attributes.get(key) for name, key in names.items()}


def _feed_of(feeds: Mapping[str, Feed], name: str | None) -> str | None:
    feed = feed_for(feeds, name) if name else None
    return feed.name if feed else None


def _bucket(text: str | None) -> str | None:
    return text if text and is_bucket_name(text) else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _time(text: str | None, published: datetime) -> str:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        moment = datetime.fromtimestamp(published.timestamp(), UTC)
    return _rfc3339(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _truncate(text: str) -> str:
    return text.encode("utf-8", "replace")[:_MAX_VALUE_BYTES].decode("utf-8", "ignore")


def _can_be_sent(attribute: tuple[str, str]) -> bool:
    try:
        key, value = (len(text.encode()) for text in attribute)
    except UnicodeEncodeError:
        return False
    return 0 < key <= _MAX_KEY_BYTES and value <= _MAX_VALUE_BYTES and not attribute[0].startswith(PREFIX)
