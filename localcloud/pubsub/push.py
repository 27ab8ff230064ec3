"""Delivers messages of push subscriptions to their endpoints by HTTP POST."""

import base64
import http.client
import json
import logging
import time
from functools import partial
from typing import Any

from localcloud.pubsub.catalog import Catalog, Subscription
from localcloud.pubsub.connections import Connections
from localcloud.pubsub.loop import Loop
from localcloud.pubsub.places import TOO_MANY, Places
from localcloud.pubsub.pushes import ACK, DEADLINE_EXCEEDED, INVALID, UNREACHABLE, response_class
from localcloud.pubsub.queue import Leased, Queue
from localcloud.pubsub.signals import Signals
from localcloud.pubsub.slow_start import SlowStart
from localcloud.pubsub.workers import Workers

# The lease outlives the request, so that it is the timed-out request that gives the message back.
_LEASE_SLACK = 5
_log = logging.getLogger(__name__)


def push_body(subscription: Subscription, leased: Leased) -> bytes:
    """The wrapped body Pub/Sub posts: fields that are empty are left out."""
    message = leased.message
    published = message.publish_time.ToJsonString()
    wrapped: dict[str, Any] = {
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if message.data:
        wrapped["data"] = base64.b64encode(message.data).decode()
    if message.attributes:
        wrapped["attributes"] = dict(message.attributes)
    if message.ordering_key:
        wrapped["orderingKey"] = message.ordering_key
    body: dict[str, Any] = {"message": wrapped, "subscription": subscription.name}
    if subscription.policy.dead_letter_topic:
        body["deliveryAttempt"] = leased.attempt
    return json.dumps(body).encode()


class PushLoop(Loop):
    """One subscription's deliveries: leases as many as the window allows, each posted by a thread."""

    def __init__(self, name: str, catalog: Catalog, queue: Queue, signals: Signals, places: Places) -> None:
        self._queue = queue
        self._places = places
        self._window = SlowStart()
        self._workers = Workers()
        self._connections = Connections()
        super().__init__(name, catalog, signals)

    def join(self, until: float) -> None:
        super().join(until)
        while not self._window.idle and time.monotonic() < until:
            time.sleep(0.02)

    def _step(self, subscription: Subscription) -> float | None:
        if not subscription.policy.endpoint:
            return None
        free = self._window.free()
        if not free:
            return self._window.pause_left()
        batch = self._queue.lease(subscription, free, subscription.policy.deadline + _LEASE_SLACK)
        if not batch:
            return self._queue.seconds_until_due(subscription)
        self._window.started(len(batch))
        for leased in batch:
            self._workers.run(partial(self._deliver, subscription, leased))
        return 0

    def _deliver(self, subscription: Subscription, leased: Leased) -> None:
        kind, answer = self._answer(subscription, leased)
        if self._signals.closed and kind != ACK:
            self._window.failed()
            return  # the next start forgets the lease and delivers again
        self._queue.pushes.count(self._name, kind)
        # The window first: recording the outcome wakes the loop, which should find the room it made.
        if kind == ACK:
            self._window.succeeded()
            self._queue.acknowledge(subscription, [leased.ack_id])
            return
        self._window.failed()
        _log.warning(
            "push %s attempt %d of message %s to %s: %s",
            self._name,
            leased.attempt,
            leased.message.message_id,
            subscription.policy.endpoint,
            answer,
        )
        self._queue.give_back(subscription, [leased.ack_id])

    def _answer(self, subscription: Subscription, leased: Leased) -> tuple[str, int | str]:
        """The class of the response, and the endpoint's status or why there is none."""
        if not self._places.take():
            return response_class(TOO_MANY), TOO_MANY
        try:
            body = push_body(subscription, leased)
            status = self._connections.post(subscription.policy.endpoint, body, subscription.policy.deadline)
        except TimeoutError:
            return DEADLINE_EXCEEDED, f"no answer within the ack deadline of {subscription.policy.deadline} s"
        except (OSError, ValueError) as error:
            return UNREACHABLE, f"{type(error).__name__}: {error}"
        except http.client.HTTPException as error:
            return INVALID, f"{type(error).__name__}: {error}"
        finally:
            self._places.leave()
        return response_class(status), status
