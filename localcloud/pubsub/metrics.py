"""The metrics of Cloud Monitoring that the commands read: what waits, since when, and how pushes are answered.

Over REST, as `projects.timeSeries.list` of Cloud Monitoring's API v3. Google samples these metrics every minute and
shows them some minutes late; here they are of this moment.
"""

import json
import re
import threading
import time
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localcloud.pubsub.catalog import Catalog
from localcloud.pubsub.errors import EmulatorError, PortInUseError, invalid
from localcloud.pubsub.names import check_project, split_name
from localcloud.pubsub.queue import Queue
from localcloud.pubsub.time_series import METRICS, Interval

_CONDITION = re.compile(r'\s*([\w.]+)\s*=\s*"([^"]*)"\s*')
_PATH = re.compile(r"/v3/(projects/[^/]+)/timeSeries")


class Metrics:
    """An HTTP server, bound to its port when constructed; it answers from `start` to `stop`."""

    def __init__(self, catalog: Catalog, queue: Queue, host: str, port: int) -> None:
        self._catalog = catalog
        self._queue = queue
        try:
            self._server = ThreadingHTTPServer((host, port), _Handler)
        except OSError as error:
            raise PortInUseError(f"cannot listen on {host} port {port}: is it taken?") from error
        self._server.daemon_threads = True
        self._server.metrics = self  # type: ignore[attr-defined]
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        """Answer requests, in threads of its own."""
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Stop answering; called after `start`."""
        self._server.shutdown()
        self._server.server_close()

    def list_time_series(self, project: str, wanted: str, interval: Interval) -> dict[str, Any]:
        """The series of every subscription of projects/PROJECT that the filter lets through, of this time."""
        check_project(project)
        metric, subscription = read_filter(wanted)
        found = [
            series
            for held in self._catalog.subscriptions()
            if held.name.startswith(f"{project}/") and subscription in (None, split_name(held.name)[1])
            for series in METRICS[metric](self._queue, held, interval)
        ]
        return {"timeSeries": found} if found else {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the body of an answer waits 40 ms for the client to acknowledge its headers.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match = _PATH.fullmatch(url.path)
        if match is None:
            self._answer(HTTPStatus.NOT_FOUND, _error(HTTPStatus.NOT_FOUND, f"{url.path} is not here"))
            return
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        metrics: Metrics = self.server.metrics  # type: ignore[attr-defined]
        try:
            answer = metrics.list_time_series(match[1], asked.get("filter", ""), _interval(asked))
            self._answer(HTTPStatus.OK, answer)
        except EmulatorError as error:
            self._answer(HTTPStatus.BAD_REQUEST, _error(HTTPStatus.BAD_REQUEST, str(error)))

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""


def _error(status: HTTPStatus, text: str) -> dict[str, Any]:
    return {"error": {"code": int(status), "message": text, "errors": [{"message": text, "reason": "badRequest"}]}}


def read_filter(text: str) -> tuple[str, str | None]:
    """The metric and the subscription's id that a monitoring filter asks for, None for all; other filters are
    INVALID_ARGUMENT."""
    conditions: dict[str, str] = {}
    for part in text.split(" AND "):
        match = _CONDITION.fullmatch(part)
        if match is None:
            raise invalid(f'Cannot read "{part}" in the filter: expected name = "value" joined by AND.')
        conditions[match[1].replace("resource.label.", "resource.labels.")] = match[2]
    metric = conditions.pop("metric.type", "")
    if metric not in METRICS:
        raise invalid(f"The only metrics here are {', '.join(METRICS)}.")
    if conditions.pop("resource.type", "pubsub_subscription") != "pubsub_subscription":
        raise invalid('The only resource here is resource.type = "pubsub_subscription".')
    wanted = conditions.pop("resource.labels.subscription_id", None)
    if conditions:
        raise invalid(f"Cannot filter on {sorted(conditions)}.")
    return metric, wanted


def _interval(asked: dict[str, str]) -> Interval:
    """Up to now where no end is given."""
    try:
        start, end = (
            datetime.fromisoformat(asked[name]).timestamp() if name in asked else missing
            for name, missing in (("interval.startTime", 0.0), ("interval.endTime", time.time()))
        )
    except ValueError as error:
        raise invalid(f"Cannot read the interval: {error}.") from error
    return start, end
