"""Publishing, always awaited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.api_core.retry import Retry
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage

_SECONDS = 60.0
# The publisher's own default goes on for 600 s, as long as a push may take in all.
_RETRY = Retry(initial=0.1, maximum=5.0, timeout=_SECONDS)


def send(client: PublisherClient, path: str, messages: Sequence[PubsubMessage]) -> list[str]:
    """One request to the topic at `path`. Returns the ids, in order, once Pub/Sub holds the messages."""
    # The call beneath publish(): that one takes attributes as keywords, so none may be called "topic" or "data".
    answer = PublisherClient.publish(client, topic=path, messages=messages, retry=_RETRY, timeout=_SECONDS)
    return list(answer.message_ids)


class Bus:
    def __init__(self, client: PublisherClient, project: str) -> None:
        self._client = client
        self._project = project

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish and wait until Pub/Sub holds the message. Returns its id."""
        path = self._client.topic_path(self._project, topic)
        (message_id,) = send(self._client, path, [PubsubMessage(data=data, attributes=attributes)])
        return message_id
