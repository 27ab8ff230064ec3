"""The Python client publishes and pulls as it does with Google's Pub/Sub."""

import threading
import time
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from tests.harness.pubsub import RunningServer, eventually


def test_published_messages_are_pulled_with_id_time_and_attributes(server: RunningServer) -> None:
    """What is pulled is what was published, plus an id and a publish time; no attempt without a policy."""
    topic = server.topic()
    sub = server.subscribe(topic)
    [number] = server.publish(topic, b"hello", kind="test")
    [received] = server.pull(sub)
    assert (received.message.data, dict(received.message.attributes)) == (b"hello", {"kind": "test"})
    assert received.message.message_id == number
    assert abs(received.message.publish_time.timestamp() - time.time()) < 10
    assert received.delivery_attempt == 0


def test_ten_thousand_batched_publishes_are_pulled_once_each(server: RunningServer) -> None:
    """The client's batching works, ids are unique, and 10,000 messages are through within seconds."""
    topic = server.topic()
    sub = server.subscribe(topic)
    publisher = pubsub_v1.PublisherClient(
        batch_settings=pubsub_v1.types.BatchSettings(max_messages=500, max_latency=0.05),
        transport=PublisherGrpcTransport(channel=server.channel),
    )
    started = time.monotonic()
    futures = [publisher.publish(topic, str(n).encode()) for n in range(10_000)]
    assert len({future.result(20) for future in futures}) == 10_000
    seen: list[bytes] = []
    while batch := server.pull(sub, 1_000, at_once=True):
        seen += [one.message.data for one in batch]
        server.ack(sub, batch)
    assert sorted(map(int, seen)) == list(range(10_000))
    assert time.monotonic() - started < 20
    publisher.stop()


def test_streaming_pull_delivers_and_acknowledges(server: RunningServer) -> None:
    """The client's subscribe() gets messages as they come, holds no more than asked, and its acks count."""
    topic = server.topic()
    sub = server.subscribe(topic)
    got: list[bytes] = []
    lock = threading.Lock()

    def callback(message: Any) -> None:
        with lock:
            got.append(message.data)
        message.ack()

    flow = pubsub_v1.types.FlowControl(max_messages=10)
    future = server.subscriber.subscribe(sub, callback, flow_control=flow)
    for n in range(50):
        server.publish(topic, str(n).encode())
    eventually(lambda: len(got) >= 50)
    future.cancel()
    future.result(10)
    assert sorted(map(int, got)) == list(range(50))
    assert server.pull(sub, at_once=True) == []


def test_pull_waits_for_a_message(server: RunningServer) -> None:
    """A pull on an empty subscription answers as soon as a message is published."""
    topic = server.topic()
    sub = server.subscribe(topic)
    timer = threading.Timer(0.3, server.publish, (topic, b"late"))
    timer.start()
    started = time.monotonic()
    [received] = server.pull(sub)
    assert received.message.data == b"late"
    assert time.monotonic() - started < 2


def test_a_lease_keeps_a_message_from_others_until_it_is_given_back(server: RunningServer) -> None:
    """A leased message is not handed out twice; a deadline of 0 hands it out again at once."""
    topic = server.topic()
    sub = server.subscribe(topic)
    server.publish(topic, b"one")
    first = server.pull(sub)
    assert server.pull(sub, at_once=True) == []
    server.lease(sub, first, 0)
    second = server.pull(sub, at_once=True)
    assert [one.message.data for one in second] == [b"one"]
    server.lease(sub, first, 0)  # the first lease is over: no effect on the second
    assert server.pull(sub, at_once=True) == []
    server.ack(sub, second)


def test_a_lapsed_lease_delivers_again(server: RunningServer) -> None:
    """ModifyAckDeadline shortens a lease; when it lapses, a waiting pull gets the message."""
    topic = server.topic()
    sub = server.subscribe(topic)
    server.publish(topic, b"one")
    server.lease(sub, server.pull(sub), 1)
    assert [one.message.data for one in server.pull(sub)] == [b"one"]


def test_a_message_given_back_waits_for_the_backoff(server: RunningServer) -> None:
    """With a retry policy a nack is delivered again after the minimum backoff, doubled the next time."""
    topic = server.topic()
    policy = {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 2}}
    sub = server.subscribe(topic, retry_policy=policy)
    server.publish(topic, b"one")
    received = server.pull(sub)
    for expected in (1.0, 2.0):
        started = time.monotonic()
        server.lease(sub, received, 0)
        received = eventually(lambda: server.pull(sub))
        assert len(received) == 1
        assert time.monotonic() - started >= expected


def test_a_topic_without_subscription_loses_messages(server: RunningServer) -> None:
    """A subscription gets only what is published after it was created."""
    topic = server.topic()
    lost = server.publish(topic, b"lost")
    sub = server.subscribe(topic)
    kept = server.publish(topic, b"kept")
    assert [one.message.data for one in server.pull(sub)] == [b"kept"]
    assert lost != kept


def test_filters_choose_messages_by_attribute(server: RunningServer) -> None:
    """Each subscription gets what its filter matches; the rest counts as acknowledged."""
    topic = server.topic()
    final = server.subscribe(topic, "final", filter='attributes.event = "FINAL" AND hasPrefix(attributes.o, "a/")')
    other = server.subscribe(topic, "other", filter='NOT attributes:event OR attributes.event != "FINAL"')
    server.publish(topic, b"1", event="FINAL", o="a/x")
    server.publish(topic, b"2", event="FINAL", o="b/x")
    server.publish(topic, b"3", event="DELETE")
    server.publish(topic, b"4")
    assert [one.message.data for one in server.pull(final)] == [b"1"]
    assert sorted(one.message.data for one in server.pull(other)) == [b"3", b"4"]


def test_dead_letters_carry_where_they_came_from(server: RunningServer) -> None:
    """After the last attempt a message moves, with its data and attributes, under a new id."""
    topic, dead_letters = server.topic(), server.topic("dead-letters")
    graves = server.subscribe(dead_letters, "graves")
    policy = {"dead_letter_topic": dead_letters, "max_delivery_attempts": 5}
    sub = server.subscribe(topic, dead_letter_policy=policy)
    [number] = server.publish(topic, b"bad", kind="x")
    for attempt in range(1, 6):
        received = server.pull(sub)
        assert received[0].delivery_attempt == attempt
        server.lease(sub, received, 0)
    [dead_letter] = server.pull(graves)
    assert dead_letter.message.data == b"bad"
    assert dead_letter.message.message_id != number
    attributes = dict(dead_letter.message.attributes)
    assert attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime").endswith("+00:00")
    assert attributes == {
        "kind": "x",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "readers",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "local",
    }
    assert server.pull(sub, at_once=True) == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({}, "empty"),
        ({"data": b"x" * 10_000_001}, "10 MB"),
        ({"attributes": {str(n): "v" for n in range(101)}}, "101 attributes"),
        ({"attributes": {"k": "v" * 1025}}, "1025 bytes"),
    ],
)
def test_what_pubsub_refuses_to_publish_is_refused(server: RunningServer, message: dict[str, Any], words: str) -> None:
    """A message past the limits is INVALID_ARGUMENT, and the text says which limit."""
    topic = server.topic()
    with pytest.raises(exceptions.InvalidArgument, match=words):
        server.publisher.publish(topic=topic, messages=[message])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ack_deadline_seconds": 9}, "10 and 600"),
        ({"ack_deadline_seconds": 601}, "10 and 600"),
        ({"filter": "attributes.k = v"}, "double quotes"),
        ({"filter": "attributes:a AND attributes:b OR attributes:c"}, "parentheses"),
        ({"push_config": {"push_endpoint": "ftp://x"}}, "push endpoint"),
        ({"message_retention_duration": {"seconds": 1}}, "retention"),
        ({"name": "projects/local/subscriptions/9x"}, "subscription name"),
    ],
)
def test_a_bad_subscription_is_refused(server: RunningServer, fields: dict[str, Any], words: str) -> None:
    """A subscription Pub/Sub would not take is INVALID_ARGUMENT with a helpful text."""
    request = {"name": "projects/local/subscriptions/readers", "topic": server.topic(), **fields}
    with pytest.raises(exceptions.InvalidArgument, match=words):
        server.subscriber.create_subscription(request=request)


def test_names_taken_and_missing_have_their_own_codes(server: RunningServer) -> None:
    """A second create is ALREADY_EXISTS, a missing name is NOT_FOUND."""
    topic = server.topic()
    sub = server.subscribe(topic)
    with pytest.raises(exceptions.AlreadyExists):
        server.topic()
    with pytest.raises(exceptions.AlreadyExists):
        server.subscribe(topic)
    missing = "projects/local/topics/missing"
    with pytest.raises(exceptions.NotFound):
        server.publish(missing, b"x")
    with pytest.raises(exceptions.NotFound):
        server.subscribe(missing, "another")
    server.subscriber.delete_subscription(subscription=sub)
    with pytest.raises(exceptions.NotFound):
        server.pull(sub)


def test_update_changes_only_the_fields_in_the_mask(server: RunningServer) -> None:
    """A masked field changes, others stay; the filter cannot change."""
    sub = server.subscribe(server.topic(), ack_deadline_seconds=20)
    change = {"name": sub, "ack_deadline_seconds": 30, "labels": {"a": "b"}}
    server.subscriber.update_subscription(request={"subscription": change, "update_mask": {"paths": ["labels"]}})
    held = server.subscriber.get_subscription(subscription=sub)
    assert (held.ack_deadline_seconds, dict(held.labels)) == (20, {"a": "b"})
    with pytest.raises(exceptions.InvalidArgument, match="filter"):
        server.subscriber.update_subscription(request={"subscription": change, "update_mask": {"paths": ["filter"]}})


def test_lists_name_topics_and_subscriptions_of_the_project(server: RunningServer) -> None:
    """Topics, subscriptions, and the subscriptions of a topic are listed."""
    topic = server.topic()
    sub = server.subscribe(topic)
    assert [one.name for one in server.publisher.list_topics(project="projects/local")] == [topic]
    assert [one.name for one in server.subscriber.list_subscriptions(project="projects/local")] == [sub]
    assert list(server.publisher.list_topic_subscriptions(topic=topic)) == [sub]
    assert list(server.publisher.list_topics(project="projects/other")) == []
