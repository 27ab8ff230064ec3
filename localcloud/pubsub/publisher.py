"""google.pubsub.v1.Publisher. A list is one page."""

from typing import Any

from google.pubsub_v1 import types

from localcloud.pubsub.catalog import Catalog
from localcloud.pubsub.limits import check_publish
from localcloud.pubsub.names import check_project
from localcloud.pubsub.queue import Queue
from localcloud.pubsub.rpc import bare_unary, service, unary

_PublishResponse = types.PublishResponse.pb()


class Publisher:
    """Topics, and publishing to them."""

    def __init__(self, catalog: Catalog, queue: Queue) -> None:
        self._catalog = catalog
        self._queue = queue

    def handlers(self) -> Any:
        """The gRPC service."""
        return service(
            "google.pubsub.v1.Publisher",
            {
                "CreateTopic": unary(self.create, types.Topic, types.Topic),
                "GetTopic": unary(self.get, types.GetTopicRequest, types.Topic),
                "UpdateTopic": unary(self.update, types.UpdateTopicRequest, types.Topic),
                "ListTopics": unary(self.list, types.ListTopicsRequest, types.ListTopicsResponse),
                "ListTopicSubscriptions": unary(
                    self.list_subscriptions,
                    types.ListTopicSubscriptionsRequest,
                    types.ListTopicSubscriptionsResponse,
                ),
                "DeleteTopic": unary(self.delete, types.DeleteTopicRequest),
                "Publish": bare_unary(self.publish, types.PublishRequest.pb(), _PublishResponse),
            },
        )

    def create(self, request: types.Topic, _: Any) -> types.Topic:
        return self._catalog.create_topic(request)

    def get(self, request: types.GetTopicRequest, _: Any) -> types.Topic:
        return self._catalog.topic(request.topic)

    def update(self, request: types.UpdateTopicRequest, _: Any) -> types.Topic:
        return self._catalog.update_topic(request.topic, list(request.update_mask.paths))

    def list(self, request: types.ListTopicsRequest, _: Any) -> types.ListTopicsResponse:
        check_project(request.project)
        prefix = f"{request.project}/"
        return types.ListTopicsResponse(
            topics=[topic for topic in self._catalog.topics() if topic.name.startswith(prefix)]
        )

    def list_subscriptions(
        self, request: types.ListTopicSubscriptionsRequest, _: Any
    ) -> types.ListTopicSubscriptionsResponse:
        self._catalog.topic(request.topic)
        names = [held.name for held in self._catalog.subscribers(request.topic)]
        return types.ListTopicSubscriptionsResponse(subscriptions=names)

    def delete(self, request: types.DeleteTopicRequest, _: Any) -> None:
        self._catalog.delete_topic(request.topic)

    def publish(self, request: Any, _: Any) -> Any:
        """Answers once the messages are in the database."""
        self._catalog.topic(request.topic)
        check_publish(request.messages, request.ByteSize())
        return _PublishResponse(message_ids=self._queue.publish(request.topic, request.messages))
