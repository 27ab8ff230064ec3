"""The one metric of Cloud Monitoring that the commands read: how many messages are not acknowledged.

Over REST, as `projects.timeSeries.list` of Cloud Monitoring's API v3. Google samples this metric every minute and
shows it some minutes late; here it is the number of this moment.
"""

import json
import re
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localcloud.pubsub.catalog import Catalog, Subscription
from localcloud.pubsub.errors import EmulatorError, PortInUseError, invalid
from localcloud.pubsub.names import check_project, split_name
from localcloud.pubsub.queue import Queue

UNDELIVERED = "pubsub.googleapis.com/subscription/num_undelivered_messages"
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

    def list_time_series(self, project: str, wanted: str) -> dict[str, Any]:
        """One series with one point for every subscription of projects/PROJECT that the filter lets through."""
        check_project(project)
        subscription = wanted_subscription(wanted)
        found = [
            held
            for held in self._catalog.subscriptions()
            if held.name.startswith(f"{project}/") and subscription in (None, split_name(held.name)[1])
        ]
        return {"timeSeries": [self._series(held) for held in found]} if found else {}

    def _series(self, held: Subscription) -> dict[str, Any]:
        project, short = split_name(held.name)
        now = datetime.now(tz=UTC).isoformat().replace("+00:00", "Z")
        return {
            "metric": {"type": UNDELIVERED},
            "resource": {
                "type": "pubsub_subscription",
                "labels": {"project_id": project, "subscription_id": short},
            },
            "metricKind": "GAUGE",
            "valueType": "INT64",
            # JSON has no 64-bit integers: Google writes them as text.
            "points": [
                {
                    "interval": {"startTime": now, "endTime": now},
                    "value": {"int64Value": str(self._queue.backlog(held))},
                }
            ],
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match = _PATH.fullmatch(url.path)
        if match is None:
            self._answer(HTTPStatus.NOT_FOUND, _error(HTTPStatus.NOT_FOUND, f"{url.path} is not here"))
            return
        wanted = parse_qs(url.query).get("filter", [""])[0]
        try:
            self._answer(HTTPStatus.OK, self.server.metrics.list_time_series(match[1], wanted))  # type: ignore[attr-defined]
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


def wanted_subscription(text: str) -> str | None:
    """The subscription id a monitoring filter asks for, None for all; other filters are INVALID_ARGUMENT."""
    conditions: dict[str, str] = {}
    for part in text.split(" AND "):
        match = _CONDITION.fullmatch(part)
        if match is None:
            raise invalid(f'Cannot read "{part}" in the filter: expected name = "value" joined by AND.')
        conditions[match[1].replace("resource.label.", "resource.labels.")] = match[2]
    if conditions.pop("metric.type", None) != UNDELIVERED:
        raise invalid(f'The only metric here is metric.type = "{UNDELIVERED}".')
    if conditions.pop("resource.type", "pubsub_subscription") != "pubsub_subscription":
        raise invalid('The only resource here is resource.type = "pubsub_subscription".')
    wanted = conditions.pop("resource.labels.subscription_id", None)
    if conditions:
        raise invalid(f"Cannot filter on {sorted(conditions)}.")
    return wanted
