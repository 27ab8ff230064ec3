"""Waiting for a file as cheaply as possible: only the local Pub/Sub is asked, whose answer takes no warehouse."""

from __future__ import annotations

import time

from dropmerge.operations.backlog import messages_in_flight
from tests.harness.pipeline import Pipeline

_PATIENCE = 3600.0


def wait_until_merged(pipeline: Pipeline, pause: float = 0.01) -> None:
    """Until a file that was just dropped is on its way, and then until nothing is.

    A message of it is always there: ingest acknowledges the notification after it has published its own, and merge
    acknowledges that after the rows are in the main table.
    """
    for is_awaited in (bool, _is_nothing):
        deadline = time.monotonic() + _PATIENCE
        while not is_awaited(messages_in_flight(pipeline.connection)):
            assert time.monotonic() < deadline, "in vain"
            time.sleep(pause)


def _is_nothing(count: int) -> bool:
    return count == 0
