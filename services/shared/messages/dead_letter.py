"""A dead letter: the original bytes and attributes, with the reason beside them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from services.shared.errors import PermanentError
from services.shared.messages.push import PushMessage, decode_push

PREFIX = "dropmerge_"
"""Attributes under this prefix are ours; everything else is as it arrived."""

_WRAPPED = f"{PREFIX}whole"
RESERVED_PREFIX = "googclient_"
"""How attributes begin that a publisher may not set."""


# Of one message, by Pub/Sub's limits.
_MAX_ATTRIBUTES = 100
_MAX_KEY_BYTES = 256
_MAX_VALUE_BYTES = 1024


def dead_letter_of(
    message: PushMessage, service: str, error: PermanentError, about: Mapping[str, str]
) -> tuple[bytes, dict[str, str]]:
    """The dead letter's data and attributes: the original's, and what an operator needs to decide.

    An original whose attributes leave no room for ours, or that no publisher could send, is the data as a whole,
    in the form of a push body: `original_of` opens it.
    """
    ours = {
        "reason": error.reason,
        "error": error.detail,
        "service": service,
        "attempt": str(message.attempt),
        "message_id": message.message_id,
        "dead_lettered_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **about,
    }
    named = {PREFIX + name: _truncate(text) for name, text in ours.items()}
    original = {key: text for key, text in message.attributes.items() if not key.startswith(RESERVED_PREFIX)}
    if len({**original, **named}) <= _MAX_ATTRIBUTES and all(map(_can_be_sent, original.items())):
        return message.data, {**original, **named}
    wrapped = {"data": base64.b64encode(message.data).decode(), "attributes": original}
    return json.dumps({"message": wrapped}).encode(), {**named, _WRAPPED: "true"}


def original_of(data: bytes, attributes: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
    """A dead letter's original data, and its attributes, among which ours and Pub/Sub's may still be."""
    if _WRAPPED not in attributes:
        return data, attributes
    try:
        original = decode_push(data)
    except PermanentError:  # not ours: whoever sent it chose our attribute's name
        return data, attributes
    return original.data, original.attributes


def _truncate(text: str) -> str:
    return text.encode("utf-8", "replace")[:_MAX_VALUE_BYTES].decode("utf-8", "ignore")


def _can_be_sent(attribute: tuple[str, str]) -> bool:
    try:
        key, value = (len(text.encode()) for text in attribute)
    except UnicodeEncodeError:
        return False
    return 0 < key <= _MAX_KEY_BYTES and value <= _MAX_VALUE_BYTES and not attribute[0].startswith(PREFIX)
