"""What a file and a group of loads take of Google's APIs: BigQuery's query jobs, and calls of any kind.

The local warehouse has done a job when it answers that it has started. BigQuery is asked again until a job is done:
each such call comes on top of these.
"""

from collections.abc import Sequence

import pytest

from tests.harness.faults.calls import Call, Error, Fault, at
from tests.harness.faults.cloud import Faulty
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.statements.feeds import features, sample
from tests.harness.subscription import paused_subscription, wait_until

_QUERY_JOBS_OF_A_FILE, _CALLS_OF_A_FILE = 3, 16
_QUERY_JOBS_OF_A_GROUP = 4
_GROUP = 5
_FEEDS = ("accounts", "add", "snapshot", "versions")
"""With columns that files add, of whole snapshots, and with history."""


@pytest.mark.parametrize("feed", _FEEDS)
def test_a_clean_file_and_a_group_take_few_jobs_and_calls(faulty: Faulty, feed: str) -> None:
    """A process that has seen the feed before takes at most so many, of a group whatever its size."""
    pipeline, script = faulty.pipeline, faulty.script
    _drop(pipeline, feed, "warm")
    pipeline.wait_until_idle()
    with paused_subscription(pipeline, "merge"):
        before = len(script.calls)
        _drop(pipeline, feed, "first")
        _await_ingest(pipeline, staged=1)
        of_file = script.calls[before:]
        for n in range(_GROUP - 1):
            _drop(pipeline, feed, f"next-{n}")
        _await_ingest(pipeline, staged=_GROUP)
        before = len(script.calls)
    pipeline.wait_until_idle()
    of_group = script.calls[before:]
    assert _jobs(of_file) <= _QUERY_JOBS_OF_A_FILE
    assert len(of_file) <= _CALLS_OF_A_FILE, [(one.method, one.path) for one in of_file]
    (staged,) = [one.sql for one in of_file if one.step == "stage"]
    # Merge reads all columns where those of a file are added, and a snapshot's labels: only then are the rows written
    # once more.
    assert staged.startswith("CREATE OR REPLACE TABLE" if feed in ("add", "snapshot") else "ALTER TABLE")
    assert [one.step for one in of_group].count("merge") == 1
    assert [one.step for one in of_group].count("drop") == _GROUP
    assert _jobs(of_group) <= _QUERY_JOBS_OF_A_GROUP


def test_g1_a_file_that_is_pinned_already_is_found_in_the_archive(faulty: Faulty) -> None:
    """Nobody asks before; Cloud Storage refuses to write the copy again."""
    pipeline, script = faulty.pipeline, faulty.script
    uri = pipeline.drop("pinned.csv", HEADER + row("pinned", 640))
    pipeline.wait_until_idle()
    before = len(pipeline.dead_letters())
    script.arm(Fault("412 conditionNotMet", answer=Error(412, "conditionNotMet")), at("pin"))
    pipeline.announce(uri)
    pipeline.wait_until_idle()
    assert script.disarm() == 0, "nothing was pinned"
    assert pipeline.scores(["pinned"]) == {"pinned": 640}
    assert len(pipeline.dead_letters()) == before
    assert pipeline.explain(uri)["state"] == "merged"


def _drop(pipeline: Pipeline, feed: str, name: str) -> None:
    if feed == "accounts":
        pipeline.drop(f"calls-{name}.csv", HEADER + row(f"calls-{name}"))
    else:
        pipeline.drop(f"calls-{name}", sample(features()[feed], "plain", bad=False), feed)


def _await_ingest(pipeline: Pipeline, staged: int) -> None:
    wait_until(lambda: pipeline.connection.undelivered("merge") == staged, "staged")
    wait_until(lambda: pipeline.connection.undelivered("ingest") == 0, "acknowledged")


def _jobs(calls: Sequence[Call]) -> int:
    return len([one for one in calls if one.starts_query])
