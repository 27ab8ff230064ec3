"""What Pub/Sub's metrics say of a service, as Google writes them: a point per minute, sampled late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dropmerge.operations.status.retries import delay_after, longest_delay
from dropmerge.operations.status.services import ServiceHealth, _failed_since_ack
from dropmerge.operations.status.states import ServiceState

_SUBSCRIPTION = {"retry": {"minimum_backoff_seconds": 1, "maximum_backoff_seconds": 600}}


def _series(kind: str, *minutes: int) -> Any:
    """One push in each of these minutes past ten, the latest first."""
    points = [
        {
            "interval": {"startTime": f"2026-01-31T10:{n:02}:00Z", "endTime": f"2026-01-31T10:{n + 1:02}:00.000000Z"},
            "value": {"int64Value": "1"},
        }
        for n in minutes
    ]
    return {"metric": {"labels": {"response_class": kind}}, "points": points}


def test_only_pushes_after_the_last_that_was_taken_count() -> None:
    failed = _series("unreachable", 9, 8, 5, 2)
    assert _failed_since_ack([failed, _series("ack", 5, 1)]) == {"unreachable": 2}
    assert _failed_since_ack([failed, _series("ack", 9)]) == {}
    assert _failed_since_ack([failed, _series("remote_server_5xx", 3)]) == {"unreachable": 4, "remote_server_5xx": 1}


@pytest.mark.parametrize(
    ("answers", "waiting", "failed", "state"),
    [
        pytest.param(None, 0, {}, ServiceState.OK, id="nothing was pushed"),
        pytest.param(None, 1, {}, ServiceState.OK, id="it takes what is pushed"),
        pytest.param(None, 1, {"unreachable": 2}, ServiceState.WAITING, id="some failures are normal"),
        pytest.param(None, 1, {"unreachable": 9}, ServiceState.DOWN, id="it cannot be reached"),
        pytest.param(None, 1, {"deadline_exceeded": 9}, ServiceState.DOWN, id="it does not respond in time"),
        pytest.param(None, 1, {"remote_server_4xx": 9}, ServiceState.FAILING, id="it refuses pushes"),
        pytest.param(False, 0, {}, ServiceState.DOWN, id="a local one that does not answer, nothing waits"),
        pytest.param(True, 1, {"unreachable": 9}, ServiceState.WAITING, id="a local one that answers again"),
        pytest.param(True, 1, {"remote_server_5xx": 9}, ServiceState.FAILING, id="a local one that fails"),
        pytest.param(True, 0, {"remote_server_5xx": 9}, ServiceState.OK, id="nothing waits any more"),
    ],
)
def test_a_service_is_in_one_state(
    answers: bool | None, waiting: int, failed: dict[str, int], state: ServiceState
) -> None:
    health = ServiceHealth("merge", answers, None, waiting, 64 * waiting, failed, 65)
    assert health.state == state
    assert ("Pub/Sub tries again within 65 s" in health.sentence) == (state != ServiceState.OK and waiting > 0)


def test_the_next_try_follows_the_topologys_policy() -> None:
    """It doubles up to the maximum; before it a message has waited for as long as all delays together."""
    assert [delay_after(_SUBSCRIPTION, attempt) for attempt in (1, 2, 4, 20)] == [
        timedelta(seconds=seconds) for seconds in (1, 2, 8, 600)
    ]
    assert (longest_delay(_SUBSCRIPTION, 7), longest_delay(_SUBSCRIPTION, 5000)) == (8, 600)
