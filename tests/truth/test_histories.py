"""G1, G2, G3, G6, G7: whatever happens to the messages, the tables are the oracle's."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.guarantees.pipeline import Pipeline
from tests.truth.histories import histories
from tests.truth.history import Deliver, Drop, File, GiveUp, History, Replay, Restage, Settle
from tests.truth.runner import run


def test_a_history_with_everything(pipeline: Pipeline) -> None:
    """Two generations held back and delivered in swapped order, repeated, restaged, given up and replayed."""
    old = File("readings", "a.csv", (("1", "1", "1.5", "true", "x", "U"), ("1", "x", "", "", "bad", "U")))
    new = File("readings", "b.csv", (("1", "1", "", "TRUE", "y", "D"), ("2", "0", "", "", "", "U")))
    dead = File("people", "c.csv", (("1.0", "Ann", "2024-01-01", "", "0"), ("1.0", "", "2024-01-01", "", "0")))
    run(
        pipeline,
        History(
            (old, new, dead),
            (
                Drop(0),
                Deliver(1),
                Deliver(1),
                Settle(),
                Deliver(0),
                Restage(1),
                Deliver(2),
                GiveUp(1),
                Replay(),
                GiveUp(0),
            ),
        ),
    )


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a failure is shrunk, which takes many runs
@settings(max_examples=12, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories())
def test_random_histories(pipeline: Pipeline, history: History) -> None:
    """Always the same few; `run_random` runs others."""
    run(pipeline, history)


def test_a_notification_delivered_many_times_at_once(pipeline: Pipeline) -> None:
    """Deliveries of one load overlap in ingest, drop what the others read, and still nothing is dead-lettered."""
    good = File("events", "a.csv", (("1", "2025-01-01T00:00:00Z", "true", "2025-06-01T12:00:00Z", "", "new"),))
    bad = File("people", "a.csv", (("1", "", "2024-01-01", "", ""),))
    run(pipeline, History((good, bad), (Drop(0), Drop(1), *[Deliver(0), Deliver(1)] * 8)))
