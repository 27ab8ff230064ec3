"""google.pubsub.v1.Subscriber. A list is one page; there are no snapshots."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
from google.pubsub_v1 import types

from localcloud.pubsub.catalog import Catalog, Subscription
from localcloud.pubsub.deliveries import Deliveries
from localcloud.pubsub.errors import EmulatorError, invalid, unsupported
from localcloud.pubsub.names import check_project
from localcloud.pubsub.policy import check_deadline
from localcloud.pubsub.queue import MAX_LEASE_BYTES, Leased, Queue
from localcloud.pubsub.rpc import bare_streaming, bare_unary, service, unary
from localcloud.pubsub.signals import Signals
from localcloud.pubsub.streams import Stream, Streams

PULL_WAIT = 3.0
MAX_PULL = 1_000
_PullResponse = types.PullResponse.pb()
_StreamingPullResponse = types.StreamingPullResponse.pb()
_ReceivedMessage = types.ReceivedMessage.pb()


class Subscriber:
    """Subscriptions, and pulling from them."""

    def __init__(self, catalog: Catalog, queue: Queue, signals: Signals, deliveries: Deliveries) -> None:
        self._catalog = catalog
        self._queue = queue
        self._signals = signals
        self._deliveries = deliveries
        self._streams = Streams()

    def handlers(self) -> Any:
        """The gRPC service."""
        sub = types.Subscription
        return service(
            "google.pubsub.v1.Subscriber",
            {
                "CreateSubscription": unary(self.create, sub, sub),
                "GetSubscription": unary(self.get, types.GetSubscriptionRequest, sub),
                "UpdateSubscription": unary(self.update, types.UpdateSubscriptionRequest, sub),
                "ListSubscriptions": unary(self.list, types.ListSubscriptionsRequest, types.ListSubscriptionsResponse),
                "DeleteSubscription": unary(self.delete, types.DeleteSubscriptionRequest),
                "ModifyPushConfig": unary(self.modify_push_config, types.ModifyPushConfigRequest),
                "Pull": bare_unary(self.pull, types.PullRequest.pb(), _PullResponse),
                "StreamingPull": bare_streaming(
                    self.streaming_pull, types.StreamingPullRequest.pb(), _StreamingPullResponse
                ),
                "Acknowledge": bare_unary(self.acknowledge, types.AcknowledgeRequest.pb()),
                "ModifyAckDeadline": bare_unary(self.modify_ack_deadline, types.ModifyAckDeadlineRequest.pb()),
                "Seek": unary(self.seek, types.SeekRequest, types.SeekResponse),
            },
        )

    def create(self, request: types.Subscription, _: Any) -> types.Subscription:
        self._deliveries.check(request)
        created = self._catalog.create_subscription(request)
        self._deliveries.refresh()
        return created.definition

    def get(self, request: types.GetSubscriptionRequest, _: Any) -> types.Subscription:
        return self._catalog.subscription(request.subscription).definition

    def update(self, request: types.UpdateSubscriptionRequest, _: Any) -> types.Subscription:
        return self._change(request.subscription, [*request.update_mask.paths])

    def list(self, request: types.ListSubscriptionsRequest, _: Any) -> types.ListSubscriptionsResponse:
        check_project(request.project)
        prefix = f"{request.project}/"
        return types.ListSubscriptionsResponse(
            subscriptions=[h.definition for h in self._catalog.subscriptions() if h.name.startswith(prefix)]
        )

    def delete(self, request: types.DeleteSubscriptionRequest, _: Any) -> None:
        self._catalog.delete_subscription(request.subscription)
        self._signals.notify([request.subscription])

    def modify_push_config(self, request: types.ModifyPushConfigRequest, _: Any) -> None:
        """An empty configuration turns a push subscription into a pull subscription."""
        change = types.Subscription(name=request.subscription, push_config=request.push_config)
        self._change(change, ["push_config"])

    def seek(self, request: types.SeekRequest, _: Any) -> types.SeekResponse:
        """Acknowledges what was published before a time. Unlike Pub/Sub's, it brings back nothing acknowledged."""
        held = self._catalog.subscription(request.subscription)
        if "time" not in request:
            raise unsupported("seeking to a snapshot")
        self._queue.drop_published_before(held, request.time.timestamp())
        self._signals.notify([held.name])
        return types.SeekResponse()

    def pull(self, request: Any, context: Any) -> Any:
        """Waits up to `PULL_WAIT` seconds for a first message, then answers with what there is."""
        if request.max_messages < 1:
            raise invalid("max_messages must be at least 1.")
        wait = 0.0 if request.return_immediately else PULL_WAIT
        # Far less than the caller's timeout: messages leased for a caller that has hung up have no holder.
        until = time.monotonic() + min(wait, (context.time_remaining() or 10 * PULL_WAIT) / 10)
        while True:
            seen = self._signals.count(request.subscription)
            held = self._pullable(request.subscription)
            batch = self._queue.lease(held, min(request.max_messages, MAX_PULL), held.policy.deadline)
            left = until - time.monotonic()
            if batch or left <= 0 or self._signals.closed or not context.is_active():
                return _PullResponse(received_messages=[_received(held, leased) for leased in batch])
            self._signals.wait(held.name, seen, min(left, self._queue.seconds_until_due(held) or left))

    def acknowledge(self, request: Any, _: Any) -> None:
        self._acknowledge(request.subscription, [*request.ack_ids])

    def modify_ack_deadline(self, request: Any, _: Any) -> None:
        """Zero seconds give the messages back."""
        self._modify(request.subscription, [*request.ack_ids], request.ack_deadline_seconds)

    def streaming_pull(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        """Sends messages as they come, within what the client asked to hold."""
        opening = next(requests, None)
        if opening is None:
            return
        check_deadline(opening.stream_ack_deadline_seconds)
        self._pullable(opening.subscription)
        stream = Stream(opening)
        context.add_callback(lambda: self._close(stream))
        self._streams.opened(stream)
        threading.Thread(target=self._read, args=(stream, requests), daemon=True).start()
        try:
            while not stream.ended and context.is_active():
                yield from self._next_batch(stream)
        finally:
            self._streams.closed(stream)
        if stream.error:
            raise stream.error

    def _next_batch(self, stream: Stream) -> Iterator[Any]:
        """One response if there is anything to send, else a wait."""
        seen = self._signals.count(stream.subscription)
        if self._signals.closed:
            raise EmulatorError(grpc.StatusCode.UNAVAILABLE, "The Pub/Sub emulator is stopping.")
        held = self._pullable(stream.subscription)
        count, size = stream.room()
        if not count:
            self._signals.wait(held.name, seen, stream.seconds_until_room())
            return
        batch = self._queue.lease(held, count, stream.deadline, min(size, MAX_LEASE_BYTES))
        if not batch:
            self._signals.wait(held.name, seen, self._queue.seconds_until_due(held))
            return
        stream.sent(batch)
        yield _StreamingPullResponse(received_messages=[_received(held, leased) for leased in batch])

    def _read(self, stream: Stream, requests: Iterator[Any]) -> None:
        """Acts on what the client sends until it stops sending."""
        try:
            for request in requests:
                self._settle(stream, request)
        except EmulatorError as error:
            stream.error = error
        except Exception:  # noqa: S110 - gRPC raises a bare Exception when the client has gone
            pass
        self._close(stream)

    def _settle(self, stream: Stream, request: Any) -> None:
        if request.stream_ack_deadline_seconds:
            check_deadline(request.stream_ack_deadline_seconds)
            stream.deadline = request.stream_ack_deadline_seconds
        if len(request.modify_deadline_ack_ids) != len(request.modify_deadline_seconds):
            raise invalid("modify_deadline_ack_ids and modify_deadline_seconds differ in length.")
        self._acknowledge(stream.subscription, [*request.ack_ids])
        for ack_id, seconds in zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True):
            self._modify(stream.subscription, [ack_id], seconds)

    def _close(self, stream: Stream) -> None:
        stream.ended = True
        self._signals.notify([stream.subscription])

    def _change(self, change: types.Subscription, paths: Sequence[str]) -> types.Subscription:
        updated = self._catalog.update_subscription(change, [*paths])
        self._deliveries.refresh()
        self._signals.notify([updated.name])
        return updated.definition

    def _pullable(self, name: str) -> Subscription:
        held = self._catalog.subscription(name)
        if to := held.policy.endpoint or held.policy.table:
            how = "pushes" if held.policy.endpoint else "writes"
            raise EmulatorError(
                grpc.StatusCode.FAILED_PRECONDITION, f"{name} {how} to {to}; it cannot be pulled from."
            )
        return held

    def _acknowledge(self, name: str, ack_ids: Sequence[str]) -> None:
        held = self._catalog.subscription(name)
        for stream in self._streams.of(name):
            stream.settled(ack_ids)
        if ack_ids:
            self._queue.acknowledge(held, ack_ids)

    def _modify(self, name: str, ack_ids: Sequence[str], seconds: int) -> None:
        if not 0 <= seconds <= 600:
            raise invalid(f"The ack deadline is {seconds} s; it must be between 0 and 600 s.")
        held = self._catalog.subscription(name)
        for stream in self._streams.of(name):
            if seconds:
                stream.extended(ack_ids, seconds)
            else:
                stream.settled(ack_ids)
        if seconds:
            self._queue.extend(held, ack_ids, seconds)
        else:
            self._queue.give_back(held, ack_ids)


def _received(subscription: Subscription, leased: Leased) -> Any:
    """The message of a pull. It carries the attempt only if a dead-letter policy counts attempts."""
    received = _ReceivedMessage(ack_id=leased.ack_id, message=leased.message)
    if subscription.policy.dead_letter_topic:
        received.delivery_attempt = leased.attempt
    return received
