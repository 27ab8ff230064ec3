"""What a Cloud Storage notification says about an object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from services.shared.envelope import Envelope
from services.shared.errors import Permanent


@dataclass(frozen=True)
class Notification:
    event_type: str
    bucket: str
    object: str
    generation: int
    event_time: str
    """As it came; empty where the message has none."""
    created: datetime | None
    size: int | None
    """Bytes; None where the payload does not say."""


def read_notification(envelope: Envelope) -> Notification:
    """From the attributes, with size and creation time from the payload where it has them.

    Raises Permanent("malformed_message") naming what is missing.
    """
    attributes = envelope.attributes
    missing = [n for n in ("eventType", "bucketId", "objectId") if not attributes.get(n)]
    if missing:
        raise Permanent("malformed_message", f"the notification lacks {', '.join(missing)}")
    generation = attributes.get("objectGeneration", "")
    if not (generation.isascii() and generation.isdigit()):
        raise Permanent("malformed_message", f"objectGeneration {generation!r} is not a number")
    payload = _payload(envelope.data)
    size, created = str(payload.get("size", "")), payload.get("timeCreated")
    return Notification(
        attributes["eventType"],
        attributes["bucketId"],
        attributes["objectId"],
        int(generation),
        attributes.get("eventTime", ""),
        _time(created),
        int(size) if size.isascii() and size.isdigit() else None,
    )


def _payload(data: bytes) -> dict[str, object]:
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else None
