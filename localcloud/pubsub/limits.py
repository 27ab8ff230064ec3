"""What Pub/Sub refuses to publish."""

from collections.abc import Sequence
from typing import Any

from localcloud.pubsub.errors import invalid

MAX_REQUEST_MESSAGES = 1_000
MAX_REQUEST_BYTES = 10 * 1024 * 1024
MAX_DATA_BYTES = 10_000_000
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1024
MAX_ORDERING_KEY_BYTES = 1024


def check_publish(messages: Sequence[Any], request_bytes: int) -> None:
    """Refuse a publish request, whole, for the first thing wrong with it."""
    if not messages:
        raise invalid("A publish request needs at least one message.")
    if len(messages) > MAX_REQUEST_MESSAGES:
        raise invalid(f"{len(messages)} messages in one request; the maximum is {MAX_REQUEST_MESSAGES}.")
    for message in messages:
        _check_message(message)
    if request_bytes > MAX_REQUEST_BYTES:
        raise invalid(f"The request has {request_bytes} bytes; the maximum is {MAX_REQUEST_BYTES} (10 MB).")


def _check_message(message: Any) -> None:
    if not message.data and not message.attributes:
        raise invalid("A message needs data or at least one attribute; this one is empty.")
    if len(message.data) > MAX_DATA_BYTES:
        raise invalid(f"The data has {len(message.data)} bytes; the maximum is {MAX_DATA_BYTES} (10 MB).")
    if len(message.ordering_key.encode()) > MAX_ORDERING_KEY_BYTES:
        raise invalid(f"The ordering key is longer than {MAX_ORDERING_KEY_BYTES} bytes.")
    if len(message.attributes) > MAX_ATTRIBUTES:
        raise invalid(f"{len(message.attributes)} attributes on one message; the maximum is {MAX_ATTRIBUTES}.")
    for key, value in message.attributes.items():
        if not 0 < len(key.encode()) <= MAX_KEY_BYTES:
            raise invalid(f'The attribute key "{key[:40]}" must have 1 to {MAX_KEY_BYTES} bytes.')
        if len(value.encode()) > MAX_VALUE_BYTES:
            raise invalid(
                f'The value of attribute "{key}" has {len(value.encode())} bytes; the maximum is {MAX_VALUE_BYTES}.'
            )
