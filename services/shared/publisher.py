"""Publishing, always awaited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.api_core.retry import Retry
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage

_SECONDS = 60.0


def send(
    client: PublisherClient, path: str, messages: Sequence[PubsubMessage], seconds: float = _SECONDS
) -> list[str]:
    """One request to the topic at `path`, repeated for some seconds while Pub/Sub cannot be had.

    Returns the ids, in order, once Pub/Sub holds the messages.
    """
    # The publisher's own default goes on for 600 s, as long as a push may take in all.
    retry = Retry(initial=0.1, maximum=5.0, timeout=seconds)
    # The call beneath publish(): that one takes attributes as keywords, so none may be called "topic" or "data".
    answer = PublisherClient.publish(client, topic=path, messages=messages, retry=retry, timeout=seconds)
    return list(answer.message_ids)


class Publisher:
    def __init__(self, client: PublisherClient, project: str) -> None:
        self._client = client
        self._project = project

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish and wait until Pub/Sub holds the message. Returns its id."""
        path = self._client.topic_path(self._project, topic)
        (message_id,) = send(self._client, path, [PubsubMessage(data=data, attributes=attributes)])
        return message_id
