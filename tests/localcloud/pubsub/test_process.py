"""The Pub/Sub server keeps what it acknowledged through a kill, ends cleanly, and reports its backlog."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from google.pubsub_v1 import types

from localcloud.pubsub.catalog import Catalog
from localcloud.pubsub.database import Database
from localcloud.pubsub.queue import Queue
from localcloud.pubsub.signals import Signals
from localcloud.pubsub.time_series import UNDELIVERED
from tests.harness.pubsub import Endpoint, RunningServer, eventually


def test_an_acknowledged_publish_survives_kill_9(own_server: RunningServer) -> None:
    """After SIGKILL and a new start every published message is there; what was acknowledged is not."""
    topic = own_server.topic()
    sub = own_server.subscribe(topic)
    own_server.publish(topic, b"done")
    own_server.ack(sub, own_server.pull(sub))
    own_server.publish(topic, *[str(n).encode() for n in range(100)])
    own_server.end(signal.SIGKILL)
    own_server.start()
    assert sorted(int(one.message.data) for one in own_server.pull(sub, 1_000)) == list(range(100))


def test_a_restart_forgets_leases_and_remembers_attempts(own_server: RunningServer) -> None:
    """A message leased when the server died is handed out at once, as the second attempt."""
    topic, dead_letters = own_server.topic(), own_server.topic("dead-letters")
    sub = own_server.subscribe(topic, ack_deadline_seconds=600, dead_letter_policy={"dead_letter_topic": dead_letters})
    own_server.publish(topic, b"x")
    assert [one.delivery_attempt for one in own_server.pull(sub)] == [1]
    own_server.end(signal.SIGKILL)
    own_server.start()
    assert [one.delivery_attempt for one in own_server.pull(sub)] == [2]


def test_push_goes_on_after_a_restart(own_server: RunningServer, endpoint: Endpoint) -> None:
    """Messages that failed before the restart, and new ones, are pushed after it."""
    topic = own_server.topic()
    endpoint.answer = lambda _: 500
    own_server.subscribe(topic, push_config={"push_endpoint": endpoint.url})
    own_server.publish(topic, b"old")
    eventually(lambda: endpoint.bodies)
    assert own_server.end() == 0
    endpoint.bodies.clear()
    endpoint.answer = lambda _: 204
    own_server.start()
    own_server.publish(topic, b"new")
    eventually(lambda: len({body["message"]["data"] for body in endpoint.bodies}) == 2)


def test_it_ends_cleanly_while_a_stream_is_open(own_server: RunningServer) -> None:
    """SIGTERM ends it with exit code 0 within seconds, streaming pulls or not."""
    topic = own_server.topic()
    sub = own_server.subscribe(topic)
    first = types.StreamingPullRequest(subscription=sub, stream_ack_deadline_seconds=10)
    done = threading.Event()

    def requests() -> Iterator[types.StreamingPullRequest]:
        yield first
        done.wait(120)

    stream = own_server.subscriber.streaming_pull(requests=requests())
    own_server.publish(topic, b"x")
    assert len(next(iter(stream)).received_messages) == 1
    own_server.process.send_signal(signal.SIGTERM)
    assert own_server.process.wait(60) == 0
    done.set()


def test_a_taken_port_is_named(server: RunningServer, tmp_path: Path) -> None:
    """A second server on the port exits with an error that names the port."""
    command = [
        sys.executable,
        "-m",
        "localcloud.pubsub",
        "--port",
        str(server.port),
        "--data",
        str(tmp_path / "b"),
    ]
    second = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 1
    assert f"port {server.port}" in second.stderr
    assert "Traceback" not in second.stderr


def test_one_data_folder_serves_one_server(server: RunningServer) -> None:
    """A second server on the same folder refuses to start, so that no message is handed out twice."""
    command = [sys.executable, "-m", "localcloud.pubsub", "--port", "0", "--data", str(server.data)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 1
    assert "in use by another Pub/Sub emulator" in second.stderr


def test_the_backlog_metric_counts_what_is_not_acknowledged(server: RunningServer) -> None:
    """ListTimeSeries gives one point a subscription, leased messages included."""
    topic = server.topic()
    sub, _ = server.subscribe(topic), server.subscribe(topic, "others")
    server.publish(topic, b"1", b"2", b"3")
    server.ack(sub, server.pull(sub, 1))
    server.pull(sub, 1)
    assert server.backlog() == {"readers": 2, "others": 3}
    answer = server.time_series(f'metric.type = "{UNDELIVERED}" AND resource.labels.subscription_id = "others"')
    [only] = answer.json()["timeSeries"]
    assert only["resource"]["labels"] == {"project_id": "local", "subscription_id": "others"}
    assert only["points"][0]["value"] == {"int64Value": "3"}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ('metric.type = "x"', "only metrics"),
        ("metric.type = unquoted", "Cannot read"),
        (f'metric.type = "{UNDELIVERED}" AND resource.type = "gce_instance"', "only resource"),
        (f'metric.type = "{UNDELIVERED}" AND resource.labels.zone = "a"', "Cannot filter on"),
    ],
)
def test_what_the_metrics_cannot_answer_is_refused(server: RunningServer, wanted: str, said: str) -> None:
    """The answer is a bad request, in the form of Google's errors."""
    answer = server.time_series(wanted)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_the_metrics_have_nothing_else(server: RunningServer) -> None:
    assert (
        requests.get(f"http://127.0.0.1:{server.metrics_port}/v3/projects/local/groups", timeout=60).status_code == 404
    )
    assert server.time_series(f'metric.type = "{UNDELIVERED}"', "projects/other").json() == {}


def test_messages_past_their_retention_are_dropped(tmp_path: Path) -> None:
    """A sweep drops what is older than the subscription keeps it, and nothing younger."""
    now = [1_000_000.0]
    database, signals = Database(tmp_path), Signals()
    catalog = Catalog(database)
    queue = Queue(database, catalog, signals, clock=lambda: now[0])
    topic = catalog.create_topic(types.Topic(name="projects/local/topics/files")).name
    asked = {"name": "projects/local/subscriptions/readers", "topic": topic}
    sub = catalog.create_subscription(types.Subscription({**asked, "message_retention_duration": {"seconds": 600}}))
    queue.publish(topic, [types.PubsubMessage.pb(types.PubsubMessage(data=b"old"))])
    now[0] += 500
    queue.publish(topic, [types.PubsubMessage.pb(types.PubsubMessage(data=b"young"))])
    now[0] += 101
    queue.sweep()
    assert [leased.message.data for leased in queue.lease(sub, 10, 10)] == [b"young"]
    database.close()
