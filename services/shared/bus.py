"""Publishing, always awaited."""

from __future__ import annotations

from collections.abc import Mapping

from google.api_core.retry import Retry
from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # has no types

_SECONDS = 60.0
# The publisher's own default goes on for 600 s, as long as a push may take in all.
_RETRY = Retry(initial=0.1, maximum=5.0, timeout=_SECONDS)


class Bus:
    def __init__(self, client: pubsub_v1.PublisherClient, project: str) -> None:
        self._client = client
        self._project = project

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish and wait until Pub/Sub holds the message. Returns its id."""
        path = self._client.topic_path(self._project, topic)
        future = self._client.publish(path, data, retry=_RETRY, **dict(attributes))
        return str(future.result(timeout=_SECONDS))
