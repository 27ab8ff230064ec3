"""Writes the messages of BigQuery subscriptions to their tables, as rows with metadata.

A message is acknowledged once its row is written, so that a kill between the two writes it again: at least once, as
Pub/Sub's (https://cloud.google.com/pubsub/docs/bigquery). What cannot be written stays and is tried again.
"""

import base64
import http.client
import json
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import grpc

from localcloud.pubsub.catalog import Catalog, Subscription
from localcloud.pubsub.errors import EmulatorError, not_found, unsupported
from localcloud.pubsub.loop import Loop
from localcloud.pubsub.queue import Leased, Queue
from localcloud.pubsub.signals import Signals

_AT_ONCE = 500
_TIMEOUT = 60.0
_LEASE = _TIMEOUT + 5
_PAUSE = 0.5
"""Seconds between attempts while the warehouse does not take what is written."""
_log = logging.getLogger(__name__)


class Tables:
    """The warehouse at a URL, by BigQuery's REST interface. An empty URL: there is none."""

    def __init__(self, url: str) -> None:
        self._url = url

    def check(self, table: str) -> None:
        """Refuse a table that is not there, as Pub/Sub does when a subscription is made or changed."""
        if not self._url:
            raise unsupported("exports to BigQuery without a warehouse (--warehouse URL)")
        try:
            status, _ = self._request("GET", table, "")
        except (OSError, http.client.HTTPException) as error:
            raise EmulatorError(grpc.StatusCode.UNAVAILABLE, f"The warehouse does not answer: {error}") from error
        if status != http.client.OK:
            raise not_found(table)

    def write(self, table: str, rows: Sequence[dict[str, Any]]) -> set[int]:
        """Append rows; the places of those that were not taken. Raises OSError, HTTPException or ValueError."""
        body = {"skipInvalidRows": True, "rows": [{"json": row} for row in rows]}
        status, answer = self._request("POST", table, "/insertAll", json.dumps(body).encode())
        if status != http.client.OK:
            raise ValueError(f"status {status}: {answer[:200]!r}")
        return {int(one["index"]) for one in json.loads(answer).get("insertErrors", [])}

    def _request(self, method: str, table: str, action: str, body: bytes | None = None) -> tuple[int, bytes]:
        project, dataset, name = table.split(".")
        url = urlsplit(self._url)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_TIMEOUT)
        try:
            path = f"/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{name}{action}"
            connection.request(method, path, body, {"Content-Type": "application/json", "Connection": "close"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class TableLoop(Loop):
    """One subscription's rows, a batch at a time."""

    def __init__(self, name: str, catalog: Catalog, queue: Queue, signals: Signals, tables: Tables) -> None:
        self._queue = queue
        self._tables = tables
        self._said = ""
        super().__init__(name, catalog, signals)

    def _step(self, subscription: Subscription) -> float | None:
        if not subscription.policy.table:
            return None
        batch = self._queue.lease(subscription, _AT_ONCE, _LEASE)
        if not batch:
            return self._queue.seconds_until_due(subscription)
        refused = self._write(subscription, batch)
        self._queue.acknowledge(subscription, [one.ack_id for n, one in enumerate(batch) if n not in refused])
        if refused:
            self._queue.give_back(subscription, [batch[n].ack_id for n in refused])
            self._signals.pause(_PAUSE)
        return 0

    def _write(self, subscription: Subscription, batch: Sequence[Leased]) -> set[int]:
        """The places of what was not written."""
        try:
            refused = self._tables.write(subscription.policy.table, [_row(subscription, one) for one in batch])
            why = f"refused messages {[batch[n].message.message_id for n in refused]}" if refused else ""
        except (OSError, http.client.HTTPException, ValueError) as error:
            refused, why = set(range(len(batch))), f"{type(error).__name__}: {error}"
        if why and why != self._said:
            _log.warning("table %s of %s: %s", subscription.policy.table, self._name, why)
        self._said = why
        return refused


def _row(subscription: Subscription, leased: Leased) -> dict[str, Any]:
    """As Pub/Sub writes it with `write_metadata`: everything but the data and the three columns is in `attributes`."""
    message = leased.message
    ordering = {"ordering_key": message.ordering_key} if message.ordering_key else {}
    return {
        "subscription_name": subscription.name,
        "message_id": message.message_id,
        "publish_time": message.publish_time.ToJsonString(),
        "data": base64.b64encode(message.data).decode(),
        "attributes": json.dumps({**message.attributes, **ordering}, ensure_ascii=False),
    }
