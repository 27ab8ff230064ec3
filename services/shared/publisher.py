"""Publishing, always awaited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from google.api_core.retry import Retry
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage

Message = tuple[bytes, Mapping[str, str]]
"""Data and attributes."""

# A request may have 1,000 messages and 10 MB (https://cloud.google.com/pubsub/quotas#resource_limits).
_MAX_MESSAGES = 500
_MAX_BYTES = 9_000_000


class Publisher:
    """Publishes to the topics of a project; each request is repeated for `seconds` while Pub/Sub is unavailable."""

    def __init__(self, client: PublisherClient, project: str, seconds: float = 60.0) -> None:
        # The publisher's own default goes on for 600 s, as long as a push may take in all.
        self._client = client
        self._project = project
        self._seconds = seconds

    def publish(self, topic: str, messages: Sequence[Message]) -> list[str]:
        """The messages' ids, in order, once Pub/Sub holds all of them. Raises: Google's error."""
        path = self._client.topic_path(self._project, topic)
        return [message_id for request in _requests(messages) for message_id in self._send(path, request)]

    def _send(self, path: str, messages: Sequence[PubsubMessage]) -> list[str]:
        limits = {"retry": Retry(initial=0.1, maximum=5.0, timeout=self._seconds), "timeout": self._seconds}
        # The call beneath publish(): that one takes attributes as keywords, so none may be called "topic" or "data".
        return list(PublisherClient.publish(self._client, topic=path, messages=messages, **limits).message_ids)


def _requests(messages: Sequence[Message]) -> Iterator[list[PubsubMessage]]:
    """As many messages at a time as one request may have."""
    some: list[PubsubMessage] = []
    size = 0
    for data, attributes in messages:
        # A character has at most four bytes.
        own = len(data) + sum(len(key) + len(value) for key, value in attributes.items()) * 4
        if some and (size + own > _MAX_BYTES or len(some) == _MAX_MESSAGES):
            yield some
            some, size = [], 0
        some.append(PubsubMessage(data=data, attributes=attributes))
        size += own
    if some:
        yield some
