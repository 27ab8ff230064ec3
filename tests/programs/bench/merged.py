"""Waiting for a file at little cost: only the local Pub/Sub is asked, by one request, and no warehouse."""

from __future__ import annotations

import time

from deploy.topology import SERVICES
from tests.harness.pipeline import Pipeline

_PAUSE, _PATIENCE = 0.02, 3600.0


def wait_until_merged(pipeline: Pipeline, pause: float = _PAUSE) -> None:
    """Until a file that was just dropped is on its way, and then until nothing is, asked every `pause` seconds.

    A message of it is always there: ingest acknowledges the notification after it has published its own message, and
    merge acknowledges that one after the rows are in the main table.
    """
    for is_awaited, seconds in ((True, _PAUSE), (False, pause)):
        deadline = time.monotonic() + _PATIENCE
        while (_messages(pipeline) > 0) is not is_awaited:
            assert time.monotonic() < deadline, "the file is neither merged nor a dead letter"
            time.sleep(seconds)


def _messages(pipeline: Pipeline) -> int:
    """On their way to a service, or being worked on."""
    connection = pipeline.connection
    names = {connection.topology.push_subscription(service) for service in SERVICES}
    return sum(
        int(one["points"][0]["value"]["int64Value"])
        for one in connection.time_series("num_undelivered_messages")
        if one["resource"]["labels"]["subscription_id"] in names
    )
