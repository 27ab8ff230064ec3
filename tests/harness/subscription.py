"""A push subscription paused and looked into, with Google's own calls."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from google.cloud import pubsub_v1

from tests.harness.pipeline import Pipeline

_PATIENCE = 400.0


def wait_until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not {what} after {_PATIENCE:.0f} s"
        time.sleep(0.03)


@contextmanager
def paused_subscription(pipeline: Pipeline, name: str) -> Iterator[str]:
    """Yield the subscription's path. Nothing is pushed meanwhile: its push configuration is empty."""
    subscriber = pipeline.connection.subscriber
    path = subscriber.subscription_path(pipeline.connection.project, name)
    push = subscriber.get_subscription(subscription=path).push_config
    subscriber.modify_push_config(subscription=path, push_config=pubsub_v1.types.PushConfig())
    try:
        yield path
    finally:
        subscriber.modify_push_config(subscription=path, push_config=push)


def pull(pipeline: Pipeline, name: str, take: Callable[[Any], bool]) -> Sequence[Any]:
    """Pull all that waits now; acknowledge the messages to take, give the others back. Returns both."""
    subscriber = pipeline.connection.subscriber
    path = subscriber.subscription_path(pipeline.connection.project, name)
    received: list[Any] = []
    while True:
        with warnings.catch_warnings():
            # Deprecated for those who wait for work; a test wants to know what is there now.
            warnings.simplefilter("ignore", DeprecationWarning)
            batch = subscriber.pull(subscription=path, max_messages=1000, return_immediately=True).received_messages
        received += batch
        if not batch:
            break
    taken = [one.ack_id for one in received if take(one.message)]
    others = [one.ack_id for one in received if one.ack_id not in taken]
    if taken:
        subscriber.acknowledge(subscription=path, ack_ids=taken)
    if others:
        subscriber.modify_ack_deadline(subscription=path, ack_ids=others, ack_deadline_seconds=0)
    return [one.message for one in received]


def pull_all(pipeline: Pipeline, path: str, count: int) -> list[Any]:
    """Pull and acknowledge exactly `count` messages."""
    found: list[Any] = []
    while len(found) < count:
        answer = pipeline.connection.subscriber.pull(subscription=path, max_messages=1000, timeout=60.0)
        found += [received.message for received in answer.received_messages]
        pipeline.connection.subscriber.acknowledge(
            subscription=path, ack_ids=[received.ack_id for received in answer.received_messages]
        )
    assert len(found) == count
    return found
