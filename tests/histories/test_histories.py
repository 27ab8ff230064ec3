"""G1, G2, G3, G6, G7: whatever happens to the messages, the tables are the oracle's."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.harness.histories.histories import histories
from tests.harness.histories.history import Deliver, Drop, File, GiveUp, History, Replay, Restage, WaitUntilIdle
from tests.harness.histories.runner import run
from tests.harness.pipeline import Pipeline


def reading(seq: int, value: str = "", note: str = "", op: str = "U", sensor: str = "1") -> tuple[str, ...]:
    return sensor, str(seq), value, "", note, op


def of(*rows: tuple[str, ...], name: str = "a.csv") -> File:
    return File("readings", name, rows)


SWAPPED = (Drop(0), Deliver(1), WaitUntilIdle(), Deliver(0))
TURNS = (Deliver(0), WaitUntilIdle(), Deliver(1))


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(History((of(reading(2)), of(reading(1), name="b.csv")), TURNS), id="older version, later file"),
        pytest.param(
            History((of(reading(2)), of(reading(1), name="b.csv")), (Drop(0), Drop(1))), id="older version, one merge"
        ),
        pytest.param(
            History((of(reading(1, "2")), of(reading(1, "1"), name="b.csv")), SWAPPED), id="generation, swapped"
        ),
        pytest.param(
            History((of(reading(1, "2")), of(reading(1, "1"), name="b.csv")), TURNS), id="generation, in turn"
        ),
        pytest.param(History((of(reading(1, "1"), reading(1, op="D"), reading(1, "2")),)), id="delete over update"),
        pytest.param(
            History((of(reading(1, op="D")), of(reading(1), name="b.csv")), TURNS), id="generation over delete"
        ),
        pytest.param(History((of(reading(1, "1"), reading(1, "10"), reading(1, "9")),)), id="greater number"),
        pytest.param(
            History((of(reading(1, note="z"), reading(1, note="é"), reading(1, note="a")),)), id="greater text"
        ),
        pytest.param(History((of(reading(1), reading(1, "-1"), reading(1)),)), id="NULL smallest"),
        pytest.param(
            History((of(reading(1, "1", "b"), reading(1, "2", "a"), reading(1, "1", "c")),)), id="contract order"
        ),
        pytest.param(History((of(reading(5, op="D")), of(reading(4), name="b.csv")), TURNS), id="stays deleted"),
        pytest.param(History((of(reading(5)), of(reading(6, op="D"), name="b.csv")), TURNS), id="delete after update"),
        pytest.param(History((of(reading(5, op="D")), of(reading(6), name="b.csv")), TURNS), id="comes back"),
    ],
)
def test_the_order_of_rows(pipeline: Pipeline, history: History) -> None:
    """Each rule of the order decides alone, in one file, in one merge, and from merge to merge."""
    run(pipeline, history)


def test_a_history_with_everything(pipeline: Pipeline) -> None:
    """Two generations are held back, delivered in swapped order, repeated, restaged, given up and replayed."""
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
                WaitUntilIdle(),
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
@settings(max_examples=7, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories())
def test_random_histories(pipeline: Pipeline, history: History) -> None:
    """The few histories are always the same; `run_random` runs others."""
    run(pipeline, history)


def test_a_notification_delivered_many_times_at_once(pipeline: Pipeline) -> None:
    """Deliveries of one load overlap in ingest, drop what the others read, and still nothing is dead-lettered."""
    good = File("events", "a.csv", (("1", "2025-01-01T00:00:00Z", "true", "2025-06-01T12:00:00Z", "", "new"),))
    bad = File("people", "a.csv", (("1", "", "2024-01-01", "", ""),))
    run(pipeline, History((good, bad), (Drop(0), Drop(1), *[Deliver(0), Deliver(1)] * 8)))
