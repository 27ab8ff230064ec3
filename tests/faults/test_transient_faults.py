"""G1, G2: faults that pass end in the expected table, with no dead letter and nothing left behind."""

import random

import pytest

from tests.harness.faults.calls import Call, Fault, at
from tests.harness.faults.cloud import Faulty
from tests.harness.faults.kinds import ALREADY_THERE, ANYWHERE, AT_JOBS, AT_MERGE, FORGOTTEN
from tests.harness.pipeline import HEADER, row

_AT: dict[str, list[tuple[Fault, tuple[str, ...]]]] = {
    # By turns: `make soak` meets all of them everywhere.
    "anywhere": [
        *((fault, ("pin", "check", "publish")) for fault in ANYWHERE[::2]),
        *((fault, ("load", "answer", "merge")) for fault in ANYWHERE[1::2]),
    ],
    "jobs": [(fault, ("load", "check", "stage", "ledger", "merge")) for fault in AT_JOBS],
    "conflicts": [(fault, ("merge",)) for fault in AT_MERGE],
}


@pytest.mark.parametrize("where", _AT)
def test_g1_g2_faults_that_pass_change_nothing(faulty: Faulty, where: str) -> None:
    """Each kind happens once at each step, over files dropped at once.

    Many files: each failed delivery doubles the pause before the next one of its message.
    """
    pipeline, script = faulty.pipeline, faulty.script
    before = len(pipeline.dead_letters())
    armed = [(fault, step) for fault, steps in _AT[where] for step in steps if _makes_sense(fault, step)]
    random.Random(3).shuffle(armed)
    for fault, step in armed:
        script.arm(fault, at(step))
    keys = [f"{where}-{n}" for n in range(12)]
    for n, key in enumerate(keys):
        pipeline.drop(f"{key}.csv", HEADER + row(key, 500 + n))
    pipeline.wait_until_idle()
    assert script.disarm() == 0, "not every fault happened"
    assert pipeline.scores(keys) == {key: 500 + n for n, key in enumerate(keys)}
    assert len(pipeline.dead_letters()) == before
    assert faulty.left_in_staging() == []


def _makes_sense(fault: Fault, step: str) -> bool:
    # A Publish has no half answer, and a slow one is only slow.
    return step != "publish" or not (fault.slow or fault.truncate)


@pytest.mark.parametrize("job", ["check", "stage", "merge"])
def test_g1_g2_a_job_that_was_forgotten_is_started_again(faulty: Faulty, job: str) -> None:
    """A warehouse killed while a service awaits the job's result forgets the job."""
    pipeline, script = faulty.pipeline, faulty.script
    before = len(pipeline.dead_letters())
    script.arm(FORGOTTEN, lambda call: _asks_for_result(call, job))
    key, feed = f"forgotten-{job}", "tolerant"
    # A row that is refused: the others are staged by a job of their own.
    pipeline.drop(f"{key}.csv", HEADER + row(key, 700) + row(f"{key}-bad", "none"), feed)
    pipeline.wait_until_idle()
    assert script.disarm() == 0, "no result was asked for"
    assert pipeline.scores([key, f"{key}-bad"], feed) == {key: 700}
    assert len(pipeline.dead_letters()) == before
    assert faulty.left_in_staging() == []


def _asks_for_result(call: Call, job: str) -> bool:
    return f"/queries/dropmerge-{job}-" in call.path


@pytest.mark.parametrize("fault", ALREADY_THERE, ids=lambda fault: fault.name)
def test_g1_g2_a_copy_that_another_delivery_made_is_found_whatever_refuses_a_second(
    faulty: Faulty, fault: Fault
) -> None:
    """No file is given up as access_denied because it is in the archive already."""
    pipeline, before = faulty.pipeline, len(faulty.pipeline.dead_letters())
    faulty.script.arm(fault, at("pin"))
    key = f"pinned-{ALREADY_THERE.index(fault)}"
    pipeline.drop(f"{key}.csv", HEADER + row(key, 710))
    pipeline.wait_until_idle()
    assert faulty.script.disarm() == 0, "nothing was pinned"
    assert pipeline.scores([key]) == {key: 710}
    assert len(pipeline.dead_letters()) == before


def test_g1_g2_many_faults_at_random_calls(faulty: Faulty) -> None:
    """Every tenth call or so fails somehow; seeded."""
    pipeline, chance = faulty.pipeline, random.Random(20)
    before, injected = len(pipeline.dead_letters()), faulty.script.injected.total()
    quick = [fault for fault in [*ANYWHERE, *AT_JOBS] if not fault.slow]
    for _ in range(30):
        fault, step = chance.choice(quick), chance.choice(["pin", "load", "check", "stage", "answer", "merge", "drop"])
        if step in ("load", "check", "stage", "merge") or fault in ANYWHERE:
            faulty.script.arm(fault, at(step))
    keys = [f"random-{n}" for n in range(12)]
    for n, key in enumerate(keys):
        pipeline.drop(f"{key}.csv", HEADER + row(key, 600 + n))
    pipeline.wait_until_idle()
    assert pipeline.scores(keys) == {key: 600 + n for n, key in enumerate(keys)}
    assert len(pipeline.dead_letters()) == before
    assert faulty.script.injected.total() - injected > 10
    assert faulty.left_in_staging() == []
