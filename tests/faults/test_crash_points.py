"""G1, G2: SIGKILL at each step of either service, and of the parts beside them, loses and doubles nothing."""

import pytest

from tests.harness.faults.calls import Fault, at
from tests.harness.faults.cloud import Faulty
from tests.harness.pipeline import HEADER, row
from tests.harness.subscription import paused_subscription, wait_until

_POINTS = [
    (service, step, after)
    for service, steps in {
        "ingest": ("load", "stage", "publish"),
        "merge": ("merge",),
    }.items()
    for step in steps
    for after in (False, True)
]


@pytest.mark.parametrize(("service", "step", "after"), _POINTS)
def test_g1_g2_a_service_killed_at_a_step(faulty: Faulty, service: str, step: str, after: bool) -> None:
    """The kill comes just before the step's call reaches Google, or just after it, before its answer arrives."""
    pipeline = faulty.pipeline
    before = len(pipeline.dead_letters())
    crash = Fault(f"{service} killed at {step}", lose_answer=after, act=lambda: faulty.kill(service))
    faulty.script.arm(crash, at(step))
    keys = [f"crash-{service}-{step}-{after}-{n}" for n in range(2)]
    uris = [pipeline.drop(f"{key}.csv", HEADER + row(key, 600 + n)) for n, key in enumerate(keys)]
    _await_death(faulty, service)
    faulty.revive()
    pipeline.wait_until_idle()
    assert pipeline.scores(keys) == {key: 600 + n for n, key in enumerate(keys)}
    assert len(pipeline.dead_letters()) == before
    _assert_tidy(faulty, uris)


@pytest.mark.parametrize("part", ["bus", "warehouse", "bucket"])
def test_g1_g2_a_part_killed_with_files_in_flight(faulty: Faulty, part: str) -> None:
    pipeline = faulty.pipeline
    before = len(pipeline.dead_letters())
    keys = [f"crash-{part}-{n}" for n in range(6)]
    seen = faulty.script.seen["check"]
    with paused_subscription(pipeline, "ingest"):
        uris = [pipeline.drop(f"{key}.csv", HEADER + row(key, 600 + n)) for n, key in enumerate(keys)]
        # The bucket's server notifies just after it has answered.
        wait_until(lambda: pipeline.connection.undelivered("ingest") == len(keys), "notified")
    wait_until(lambda: faulty.script.seen["check"] > seen, "checked")
    faulty.kill(part)
    _await_death(faulty, part)
    faulty.revive()
    pipeline.wait_until_idle()
    assert pipeline.scores(keys) == {key: 600 + n for n, key in enumerate(keys)}
    assert len(pipeline.dead_letters()) == before
    _assert_tidy(faulty, uris)


def _await_death(faulty: Faulty, name: str) -> None:
    wait_until(lambda: name in faulty.pipeline.cloud.dead(), f"killed, with {faulty.script.armed} faults still armed")


def _assert_tidy(faulty: Faulty, uris: list[str]) -> None:
    """No raw, checked or staging table is left; the ledger holds each load once."""
    assert faulty.left_in_staging() == []
    loads = [faulty.pipeline.load_id(uri) for uri in uris]
    rows = faulty.pipeline.connection.rows(
        "SELECT load_id FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@loads))",
        {"loads": ("STRING", ",".join(loads))},
    )
    assert sorted(one["load_id"] for one in rows) == sorted(loads)
