"""The Pub/Sub server pushes to an HTTP endpoint as Google's does."""

import base64
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions

from localcloud.pubsub.time_series import OLDEST_AGE, PUSHES
from tests.harness.pubsub import Endpoint, RunningServer, eventually


def test_a_push_is_wrapped_as_pubsub_wraps_it(server: RunningServer, endpoint: Endpoint) -> None:
    """Data in base64, id and time under both spellings; attributes and attempt only where there are any."""
    topic = server.topic()
    sub = server.subscribe(topic, push_config={"push_endpoint": endpoint.url})
    [number] = server.publish(topic, b"hello")
    [body] = eventually(lambda: endpoint.bodies)
    published = body["message"]["publishTime"]
    assert published.endswith("Z")
    assert body == {
        "message": {
            "data": base64.b64encode(b"hello").decode(),
            "messageId": number,
            "message_id": number,
            "publishTime": published,
            "publish_time": published,
        },
        "subscription": sub,
    }
    server.publish(topic, b"more", kind="x")
    eventually(lambda: len(endpoint.bodies) == 2)
    assert endpoint.bodies[1]["message"]["attributes"] == {"kind": "x"}


@pytest.mark.parametrize(
    ("status", "acknowledged"),
    [
        (102, True),
        (200, True),
        (201, True),
        (202, True),
        (204, True),
        (203, False),
        (302, False),
        (500, False),
    ],
)
def test_only_five_statuses_acknowledge(
    server: RunningServer, endpoint: Endpoint, status: int, acknowledged: bool
) -> None:
    """102, 200, 201, 202 and 204 end a message; any other answer brings it back."""
    topic = server.topic()
    endpoint.answer = lambda _: status if len(endpoint.bodies) == 1 else 204
    server.subscribe(topic, push_config={"push_endpoint": endpoint.url})
    server.publish(topic, b"x")
    eventually(lambda: endpoint.bodies and server.backlog() == {"readers": 0})
    assert len(endpoint.bodies) == (1 if acknowledged else 2)


def test_a_failing_endpoint_is_tried_again_after_a_growing_backoff(server: RunningServer, endpoint: Endpoint) -> None:
    """With a retry policy of 1 to 2 s, attempts are 1 s and then 2 s apart."""
    topic = server.topic()
    endpoint.answer = lambda _: 500 if len(endpoint.bodies) < 3 else 204
    policy = {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 2}}
    server.subscribe(topic, push_config={"push_endpoint": endpoint.url}, retry_policy=policy)
    server.publish(topic, b"x")
    eventually(lambda: len(endpoint.bodies) == 3)
    first, second, third = endpoint.times
    assert second - first >= 0.9
    assert third - second >= 1.9


def test_attempts_are_told_and_end_in_the_dead_letter_topic(server: RunningServer, endpoint: Endpoint) -> None:
    """deliveryAttempt counts from 1 to the maximum, then the message is forwarded."""
    topic, dead_letters = server.topic(), server.topic("dead-letters")
    graves = server.subscribe(dead_letters, "graves")
    endpoint.answer = lambda _: 500
    policy = {"dead_letter_topic": dead_letters, "max_delivery_attempts": 5}
    server.subscribe(topic, push_config={"push_endpoint": endpoint.url}, dead_letter_policy=policy)
    server.publish(topic, b"bad")
    [dead_letter] = eventually(lambda: server.pull(graves))
    assert [body["deliveryAttempt"] for body in endpoint.bodies] == [1, 2, 3, 4, 5]
    assert dead_letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"


def test_nobody_listening_counts_as_an_attempt(server: RunningServer) -> None:
    """A refused connection is a failed delivery like any other."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        topic, dead_letters = server.topic(), server.topic("dead-letters")
        graves = server.subscribe(dead_letters, "graves")
        policy = {"dead_letter_topic": dead_letters, "max_delivery_attempts": 5}
        server.subscribe(topic, push_config={"push_endpoint": url}, dead_letter_policy=policy)
        server.publish(topic, b"bad")
        assert [one.message.data for one in eventually(lambda: server.pull(graves))] == [b"bad"]


def test_pushes_overlap_but_begin_few(server: RunningServer, endpoint: Endpoint) -> None:
    """The first pushes are at most four at once; successes widen the window."""
    topic = server.topic()
    gate = threading.Event()

    def answer(_: dict[str, Any]) -> int:
        gate.wait(300)
        return 204

    endpoint.answer = answer
    server.subscribe(topic, push_config={"push_endpoint": endpoint.url}, ack_deadline_seconds=600)
    server.publish(topic, *[str(n).encode() for n in range(300)])
    eventually(lambda: endpoint.most_at_once == 4)
    assert len(endpoint.bodies) == 4

    def slowly(_: dict[str, Any]) -> int:
        time.sleep(0.05)
        return 204

    endpoint.answer = slowly
    gate.set()
    eventually(lambda: len(endpoint.bodies) == 300)
    assert 16 <= endpoint.most_at_once <= 300


def test_a_service_that_has_no_place_answers_429(tmp_path: Path, endpoint: Endpoint) -> None:
    """As Cloud Run does once a request has waited for 10 s; the message is tried again and loses nothing."""
    server = RunningServer(tmp_path / "pubsub", places={"small": 2})
    gate = threading.Event()

    def answer(_: dict[str, Any]) -> int:
        gate.wait(300)
        return 204

    try:
        endpoint.answer = answer
        topic = server.topic()
        server.subscribe(topic, "small", push_config={"push_endpoint": endpoint.url}, ack_deadline_seconds=600)
        server.publish(topic, b"1", b"2", b"3")
        eventually(lambda: _values(server, PUSHES, "small").get("remote_server_4xx"))
        assert endpoint.most_at_once == 2
        gate.set()
        eventually(lambda: len(endpoint.bodies) == 3)
        assert endpoint.most_at_once == 2
    finally:
        gate.set()
        server.end()


def test_no_answer_within_the_deadline_delivers_again(server: RunningServer, endpoint: Endpoint) -> None:
    """The ack deadline is the request's timeout: the message comes again while the first run goes on."""
    topic = server.topic()
    gate = threading.Event()

    def answer(_: dict[str, Any]) -> int:
        if len(endpoint.bodies) == 1:
            gate.wait(300)
        return 204

    endpoint.answer = answer
    server.subscribe(topic, push_config={"push_endpoint": endpoint.url}, ack_deadline_seconds=10)
    server.publish(topic, b"x")
    eventually(lambda: len(endpoint.bodies) == 2)
    assert not gate.is_set()
    assert endpoint.times[1] - endpoint.times[0] >= 9
    gate.set()


def test_a_push_subscription_becomes_a_pull_subscription(server: RunningServer) -> None:
    """A push subscription cannot be pulled from until its push configuration is taken away."""
    sub = server.subscribe(server.topic(), push_config={"push_endpoint": "http://127.0.0.1:9/"})
    with pytest.raises(exceptions.FailedPrecondition):
        server.pull(sub)
    server.subscriber.modify_push_config(subscription=sub, push_config={})
    server.publish("projects/local/topics/files", b"x")
    assert [one.message.data for one in server.pull(sub)] == [b"x"]


def test_the_metrics_say_how_pushes_were_answered_and_how_old_what_waits_is(
    server: RunningServer, endpoint: Endpoint
) -> None:
    """One series per class of response, with Google's words; the age is that of the oldest message."""
    topic = server.topic()
    endpoint.answer = lambda _: (503, 404, 302, 204)[len(endpoint.bodies) - 1]
    server.subscribe(topic, "counted", push_config={"push_endpoint": endpoint.url})
    server.subscribe(topic, "nobody", push_config={"push_endpoint": f"http://127.0.0.1:{_closed_port()}/"})
    server.publish(topic, b"x")
    eventually(lambda: _values(server, PUSHES, "counted").get("ack"))
    assert _values(server, PUSHES, "counted") == {
        "remote_server_5xx": 1,
        "remote_server_4xx": 1,
        "invalid": 1,
        "ack": 1,
    }
    eventually(lambda: _values(server, OLDEST_AGE, "nobody")[""] >= 1)
    assert set(_values(server, PUSHES, "nobody")) == {"unreachable"}
    assert _values(server, OLDEST_AGE, "counted") == {"": 0}


def _values(server: RunningServer, metric: str, subscription: str) -> dict[str, int]:
    """Sums by class of response, which is empty where the metric has none."""
    wanted = f'metric.type = "{metric}" AND resource.labels.subscription_id = "{subscription}"'
    return {
        one["metric"].get("labels", {}).get("response_class", ""): sum(
            int(point["value"]["int64Value"]) for point in one["points"]
        )
        for one in server.time_series(wanted).json().get("timeSeries", [])
    }


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
