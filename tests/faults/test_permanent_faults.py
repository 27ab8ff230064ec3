"""G2: what repeating cannot fix ends in a dead letter whose reason names it; once it is fixed, a replay merges it."""

import pytest

from dropmerge.operations.dead_letters.replay import replay_batch
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from tests.harness.faults.calls import Fault, at
from tests.harness.faults.cloud import Faulty
from tests.harness.faults.kinds import ELSEWHERE, PERMANENT
from tests.harness.pipeline import HEADER, row

_CASES = [
    ("access_denied", "pin"),
    ("access_denied", "load"),
    ("access_denied", "check"),
    ("access_denied", "publish"),
    ("access_denied", "merge"),
    ("refused_by_warehouse", "check"),
    ("refused_by_warehouse", "merge"),
    ("not_found", "load"),
]


@pytest.mark.parametrize(("reason", "step"), _CASES)
def test_g2_a_permanent_fault_is_a_dead_letter_and_its_replay_merges(faulty: Faulty, reason: str, step: str) -> None:
    _dead_letter_and_replay(faulty, reason, step, PERMANENT[reason])


def test_g7_no_file_is_malformed_for_where_its_bucket_is(faulty: Faulty) -> None:
    _dead_letter_and_replay(faulty, "refused_by_warehouse", "load", ELSEWHERE)


def _dead_letter_and_replay(faulty: Faulty, reason: str, step: str, fault: Fault) -> None:
    pipeline = faulty.pipeline
    faulty.script.arm(fault, at(step))
    key = f"{reason}-{step}"
    uri = pipeline.drop(f"{key}.csv", HEADER + row(key, 555))
    pipeline.wait_until_idle()
    dead_letters = [one for one in pipeline.dead_letters() if one.object and key in one.object]
    assert [(one.reason, one.service) for one in dead_letters] == [(reason, "merge" if step == "merge" else "ingest")]
    assert pipeline.explain(uri)["state"] == "dead_lettered"
    assert pipeline.scores([key]) == {}
    _replay(faulty, key)
    assert pipeline.scores([key]) == {key: 555}
    assert pipeline.explain(uri)["state"] == "merged"
    assert faulty.left_in_staging() == []


def _replay(faulty: Faulty, key: str) -> None:
    connection = faulty.pipeline.connection
    with DeadLetterSubscription(connection) as mailbox:
        for batch in mailbox.batches():
            replay_batch(connection, mailbox, [one for one in batch if one.object and key in one.object])
    faulty.pipeline.wait_until_idle()
