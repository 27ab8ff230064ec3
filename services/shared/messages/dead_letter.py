"""A dead letter: the original bytes and attributes, with the reason beside them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from services.shared.errors import Permanent
from services.shared.messages.push import Envelope, read_envelope

PREFIX = "dropmerge_"
"""Attributes under this prefix are ours; everything else is as it arrived."""

_WHOLE = f"{PREFIX}whole"
PUBSUBS_OWN = "googclient_"
"""How attributes begin that a publisher may not set."""


# Of one message, by Pub/Sub's limits.
_MOST_ATTRIBUTES = 100
_MOST_KEY_BYTES = 256
_MOST_VALUE_BYTES = 1024


def dead_letter_of(
    envelope: Envelope, service: str, error: Permanent, about: Mapping[str, str]
) -> tuple[bytes, dict[str, str]]:
    """The dead letter's data and attributes: the original's, and what an operator needs to decide.

    An original whose attributes leave no room for ours, or that no publisher could send, is the data as a whole,
    in the form of a push body: `original_of` opens it.
    """
    ours = {
        "reason": error.reason,
        "error": error.detail,
        "service": service,
        "attempt": str(envelope.attempt),
        "message_id": envelope.message_id,
        "dead_lettered_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **about,
    }
    named = {PREFIX + name: _fit(text) for name, text in ours.items()}
    original = {key: text for key, text in envelope.attributes.items() if not key.startswith(PUBSUBS_OWN)}
    if len({**original, **named}) <= _MOST_ATTRIBUTES and all(map(_can_be_sent, original.items())):
        return envelope.data, {**original, **named}
    message = {"data": base64.b64encode(envelope.data).decode(), "attributes": original}
    return json.dumps({"message": message}).encode(), {**named, _WHOLE: "true"}


def original_of(data: bytes, attributes: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
    """A dead letter's original data, and its attributes, among which ours and Pub/Sub's may still be."""
    if _WHOLE not in attributes:
        return data, attributes
    try:
        original = read_envelope(data)
    except Permanent:  # not ours: whoever sent it chose our attribute's name
        return data, attributes
    return original.data, original.attributes


def _fit(text: str) -> str:
    return text.encode("utf-8", "replace")[:_MOST_VALUE_BYTES].decode("utf-8", "ignore")


def _can_be_sent(attribute: tuple[str, str]) -> bool:
    try:
        key, value = (len(text.encode()) for text in attribute)
    except UnicodeEncodeError:
        return False
    return 0 < key <= _MOST_KEY_BYTES and value <= _MOST_VALUE_BYTES and not attribute[0].startswith(PREFIX)
