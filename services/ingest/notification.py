"""What a Cloud Storage notification says about an object."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.shared.errors import PermanentError
from services.shared.generation import GENERATIONS, ObjectGeneration, is_bucket_name
from services.shared.messages.push import PushMessage


@dataclass(frozen=True)
class Notification:
    event_type: str
    source: ObjectGeneration
    event_time: str
    """As it came; empty where the message has none."""
    size: int | None
    """Bytes; None where the payload does not say."""


def read_notification(message: PushMessage) -> Notification:
    """From the attributes, with the size from the payload where it has one.

    Raises: PermanentError("malformed_message") naming what is missing.
    """
    attributes = message.attributes
    event_type, bucket, name = _required(attributes, "eventType", "bucketId", "objectId")
    if not is_bucket_name(bucket):
        raise PermanentError("malformed_message", "bucketId is not a bucket's name")
    source = ObjectGeneration(bucket, name, _generation(attributes))
    return Notification(
        event_type, source, attributes.get("eventTime", ""), _whole(_payload(message.data).get("size"))
    )


def _required(attributes: Mapping[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not attributes.get(name)]
    if missing:
        raise PermanentError("malformed_message", f"the notification lacks {', '.join(missing)}")
    return [attributes[name] for name in names]


def _generation(attributes: Mapping[str, str]) -> int:
    generation = _whole(attributes.get("objectGeneration"))
    if generation is None or generation not in GENERATIONS:
        raise PermanentError("malformed_message", "objectGeneration is not a generation's number")
    return generation


def _payload(data: bytes) -> dict[str, object]:
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _whole(text: object) -> int | None:
    """Of a decimal text of at most 19 digits, as Cloud Storage writes its 64-bit integers."""
    return int(text) if isinstance(text, str) and re.fullmatch(r"[0-9]{1,19}", text) else None
