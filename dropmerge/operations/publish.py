"""Publishing many messages, at a given pace."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dropmerge.operations.connection import RETRY_SECONDS, Connection

if TYPE_CHECKING:
    from google.pubsub_v1.types import PubsubMessage

Message = tuple[bytes, Mapping[str, str]]
"""Data and attributes."""

MAX_BATCH = 500
# Of a request, by Pub/Sub's limits: 1,000 messages, 10 MB.
_MAX_BYTES = 9_000_000


def publish(connection: Connection, topic: str, messages: Sequence[Message]) -> list[str]:
    """Returns the message ids, in order, once Pub/Sub holds all of them."""
    from services.shared.publisher import send

    path = connection.publisher.topic_path(connection.project, topic)
    ids: list[str] = []
    for some in _requests(messages):
        ids += send(connection.publisher, path, some, RETRY_SECONDS)
    return ids


def _requests(messages: Sequence[Message]) -> Iterator[list[PubsubMessage]]:
    from google.pubsub_v1.types import PubsubMessage

    some: list[PubsubMessage] = []
    size = 0
    for data, attributes in messages:
        own = len(data) + sum(len(key) + len(value) for key, value in attributes.items()) * 4
        if some and (size + own > _MAX_BYTES or len(some) == MAX_BATCH):
            yield some
            some, size = [], 0
        some.append(PubsubMessage(data=data, attributes=attributes))
        size += own
    if some:
        yield some


class RateLimiter:
    """Spreads batches so that on average no more than `rate` messages a second go; None is no limit."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next = time.monotonic()

    @property
    def batch(self) -> int:
        """How many to take at once: a second's worth."""
        return MAX_BATCH if self._rate is None else max(1, min(MAX_BATCH, int(self._rate)))

    def wait(self, count: int) -> None:
        """Until `count` more may go."""
        if self._rate is None:
            return
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic()) + count / self._rate
