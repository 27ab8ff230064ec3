"""A Pub/Sub server in its own process, the real clients, and an HTTP endpoint that answers as told."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

import grpc
import requests
from google.cloud import pubsub_v1
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from localcloud.pubsub.time_series import UNDELIVERED

PROJECT = "projects/local"


def eventually(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait until `condition()` is true and return it; fail after `seconds`."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    return value


class RunningServer:
    """The server process and clients connected to it."""

    def __init__(self, data: Path, warehouse: str = "", places: Mapping[str, int] = MappingProxyType({})) -> None:
        self.data = data
        self.warehouse = warehouse
        self.places = places
        self.port = self.metrics_port = 0
        self.start()

    def start(self) -> None:
        """Start, or start again on the same port and data."""
        command = [
            sys.executable,
            "-m",
            "localcloud.pubsub",
            "--port",
            str(self.port),
            "--metrics-port",
            str(self.metrics_port),
            "--data",
            str(self.data),
            "--warehouse",
            self.warehouse,
            *(word for name, number in self.places.items() for word in ("--places", f"{name}={number}")),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        ports = re.fullmatch(r"bus ready on 127\.0\.0\.1:(\d+), metrics on (\d+), data in .*\n", line)
        assert ports, line
        self.port, self.metrics_port = map(int, ports.groups())
        self.channel = grpc.insecure_channel(self.address, [("grpc.use_local_subchannel_pool", 1)])
        self.publisher = PublisherClient(transport=PublisherGrpcTransport(channel=self.channel))
        self.subscriber = pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=self.channel))

    @property
    def address(self) -> str:
        """The server's host and port."""
        return f"127.0.0.1:{self.port}"

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.channel.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def topic(self, short: str = "files") -> str:
        """Create a topic."""
        name = f"{PROJECT}/topics/{short}"
        self.publisher.create_topic(name=name)
        return name

    def subscribe(self, topic: str, short: str = "readers", **fields: Any) -> str:
        """Create a subscription."""
        name = f"{PROJECT}/subscriptions/{short}"
        self.subscriber.create_subscription(request={"name": name, "topic": topic, **fields})
        return name

    def publish(self, topic: str, *data: bytes, **attributes: str) -> list[str]:
        """Publish in one request; returns the message ids."""
        messages = [{"data": one, "attributes": attributes} for one in data]
        return list(self.publisher.publish(topic=topic, messages=messages).message_ids)

    def backlog(self) -> dict[str, int]:
        """Messages not acknowledged, by subscription id."""
        series = self.time_series(f'metric.type = "{UNDELIVERED}"').json().get("timeSeries", [])
        return {
            one["resource"]["labels"]["subscription_id"]: int(one["points"][0]["value"]["int64Value"])
            for one in series
        }

    def time_series(self, wanted: str, project: str = PROJECT) -> requests.Response:
        """Cloud Monitoring's answer to this filter."""
        url = f"http://127.0.0.1:{self.metrics_port}/v3/{project}/timeSeries"
        return requests.get(url, params={"filter": wanted}, timeout=60)

    def clear(self) -> None:
        """Delete every topic and subscription."""
        for held in self.subscriber.list_subscriptions(project=PROJECT):
            self.subscriber.delete_subscription(subscription=held.name)
        for topic in self.publisher.list_topics(project=PROJECT):
            self.publisher.delete_topic(topic=topic.name)

    def pull(self, subscription: str, count: int = 10, at_once: bool = False) -> list[Any]:
        """Pull once, for at most 30 seconds."""
        request = {"subscription": subscription, "max_messages": count, "return_immediately": at_once}
        return list(self.subscriber.pull(request=request, timeout=30).received_messages)

    def ack(self, subscription: str, received: list[Any]) -> None:
        """Acknowledge these messages."""
        ids = [one.ack_id for one in received]
        self.subscriber.acknowledge(subscription=subscription, ack_ids=ids)

    def lease(self, subscription: str, received: list[Any], seconds: int) -> None:
        """Set the lease of these messages to so many seconds from now."""
        ids = [one.ack_id for one in received]
        self.subscriber.modify_ack_deadline(subscription=subscription, ack_ids=ids, ack_deadline_seconds=seconds)


class Endpoint:
    """Records what is pushed to it and answers what `answer(body)` says; its connections stay open."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.connections: set[Any] = set()
        self.most_at_once = 0
        self.answer: Callable[[dict[str, Any]], int] = lambda _: 204
        self._now = 0
        self._lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                endpoint.connections.add(self.client_address)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = endpoint.handle(body)
                self.send_response_only(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/push?token=x"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def handle(self, body: dict[str, Any]) -> int:
        """Record one push."""
        with self._lock:
            self.bodies.append(body)
            self.times.append(time.monotonic())
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            return self.answer(body)
        finally:
            with self._lock:
                self._now -= 1

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
