"""G5: MERGE jobs counted where they are sent."""

import threading

from tests.faults.calls import Call, Error, Fault
from tests.faults.cloud import Faulty
from tests.guarantees.pipeline import HEADER, row
from tests.truth.subscription import until


def test_g5_a_trickle_is_merged_file_by_file(faulty: Faulty) -> None:
    """No file waits for company: each is in the table, by a MERGE of its own, before the next is dropped."""
    before = faulty.script.seen["merge"]
    for n in range(3):
        faulty.pipeline.drop(f"trickle-{n}.csv", HEADER + row(f"trickle-{n}", 700 + n))
        faulty.pipeline.settle()
        assert faulty.pipeline.scores([f"trickle-{n}"]) == {f"trickle-{n}": 700 + n}
    assert faulty.script.seen["merge"] - before == 3


def test_g5_a_feed_does_not_wait_for_another_feed_s_merge(faulty: Faulty) -> None:
    """While a MERGE of one feed is held up, a file of another is merged."""
    pipeline, held, release = faulty.pipeline, threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        release.wait(300)

    def merges_accounts(call: Call) -> bool:
        return call.step == "merge" and ".main.accounts`" in call.sql

    try:
        faulty.script.arm(Fault("held up", answer=Error(503, "backendError"), act=hold), merges_accounts)
        pipeline.drop("parallel.csv", HEADER + row("parallel", 700))
        assert held.wait(60)
        pipeline.drop("parallel.csv", HEADER + row("parallel", 701), feed="tolerant")
        until(lambda: pipeline.scores(["parallel"], "tolerant"), "merged")
        assert pipeline.scores(["parallel"]) == {}
    finally:
        release.set()
    pipeline.settle()
    assert pipeline.scores(["parallel"], "tolerant") == {"parallel": 701}
    assert pipeline.scores(["parallel"]) == {"parallel": 700}
