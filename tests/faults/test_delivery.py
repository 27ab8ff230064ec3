"""G2, G5: neither an outage of hours nor a late grant makes a dead letter; a burst shuts nobody out; `merge_every`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from dropmerge.operations.backlog import messages_in_flight
from dropmerge.operations.loads.in_flight import InFlight
from dropmerge.operations.loads.merge_now import MergeNow
from localcloud.environment import RETRY_SPEED
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.staged import StagedMessage
from tests.harness.faults.calls import Call, Error, Fault, at
from tests.harness.faults.cloud import Faulty, faulty_cloud
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row

_PATIENCE = 6.0
_DENIED = Fault("403 accessDenied", answer=Error(403, "accessDenied", "Access Denied: injected"))
_QUOTA = Fault("403 quotaExceeded", answer=Error(403, "quotaExceeded"))
_ATTEMPTS = 21
"""In more than two hours: 10 s, 20 s, … 320 s, then each 600 s."""


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """Ten minutes between tries are 2 s here; grants may take 6 s. One feed is merged every 4 s, one every 7 min."""
    folder = tmp_path_factory.mktemp("delivery")
    feeds = write_feeds(folder / "feeds")
    tolerant = (feeds / "tolerant.yaml").read_text()
    for name, pace in (("paced", "4s"), ("slow", "7m")):
        (feeds / f"{name}.yaml").write_text(f"{tolerant.replace('tolerant', name)}merge_every: {pace}\n")
    before = os.environ[RETRY_SPEED]
    os.environ[RETRY_SPEED] = "300"
    try:
        with faulty_cloud(folder, feeds, budget=540.0, patience=_PATIENCE) as faulty:
            # Pub/Sub begins with few pushes at once, and merge keeps none back before it has answered some.
            _publish_often(faulty.pipeline, faulty.pipeline.drop("before.csv", HEADER + row("before", 602)))
            yield faulty
    finally:
        os.environ[RETRY_SPEED] = before


def _eventually(condition: Callable[[], Any]) -> Any:
    until = time.monotonic() + 300
    while not (found := condition()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)
    return found


def _rows(pipeline: Pipeline, sql: str) -> list[dict[str, Any]]:
    return [dict(one) for one in pipeline.connection.rows(sql)]


def test_g2_two_hours_of_an_exhausted_quota_make_no_dead_letter(quick: Faulty) -> None:
    """Every job is refused until the file was tried as often as in more than two hours."""
    pipeline = quick.pipeline
    quick.script.arm(_QUOTA, lambda call: bool(call.job), times=10_000)
    pipeline.drop("quota.csv", HEADER + row("quota", 600))
    failed = "SELECT COUNT(*) AS n FROM `ops.journal` WHERE event = 'failed' AND object LIKE '%quota.csv'"
    _eventually(lambda: _rows(pipeline, failed)[0]["n"] >= _ATTEMPTS)
    quick.script.disarm()
    pipeline.wait_until_idle()
    assert pipeline.scores(["quota"]) == {"quota": 600}
    assert pipeline.dead_letters() == []


@pytest.mark.parametrize("step", ["pin", "load", "merge"])
def test_g2_a_grant_that_is_late_makes_no_dead_letter(quick: Faulty, step: str) -> None:
    key = f"late-grant-{step}"
    quick.script.arm(_DENIED, at(step), times=2)
    pipeline = quick.pipeline
    pipeline.drop(f"{key}.csv", HEADER + row(key, 601))
    pipeline.wait_until_idle()
    assert quick.script.disarm() == 0, "it was not denied twice"
    assert pipeline.scores([key]) == {key: 601}
    assert pipeline.dead_letters() == []


def test_g2_what_stays_denied_is_a_dead_letter_once_its_message_is_old(quick: Faulty) -> None:
    quick.script.arm(_DENIED, at("load"), times=10_000)
    pipeline = quick.pipeline
    uri = pipeline.drop("denied.csv", HEADER + row("denied", 602))
    pipeline.wait_until_idle()
    quick.script.disarm()
    dead_letter = pipeline.dead_letter(uri)
    assert dead_letter.reason == "access_denied"
    assert dead_letter.attempts > 2
    events = pipeline.explain(uri)["events"]
    assert "tried again until the message is 0.1 min old" in str(events)


def test_g5_a_burst_waits_and_another_feed_is_merged(quick: Faulty) -> None:
    """While 150 messages wait for one main table's MERGE, the next file of another is merged; then all are answered.

    That Pub/Sub pushes so many at once takes as many answers.
    """
    pipeline, held, release = quick.pipeline, threading.Event(), threading.Event()
    _publish_often(pipeline, pipeline.drop("before-burst.csv", HEADER + row("before", 602)), 150)

    def hold() -> None:
        held.set()
        assert release.wait(300)

    before = quick.script.seen["merge"]
    quick.script.arm(Fault("held", act=hold), _merges("accounts"))
    uri = pipeline.drop("burst.csv", HEADER + row("burst", 603))
    assert held.wait(300)
    _publish(pipeline, uri, 150)
    pipeline.drop("beside.csv", HEADER + row("beside", 604), "tolerant")
    _eventually(lambda: pipeline.scores(["beside"], "tolerant"))
    assert pipeline.scores(["burst"]) == {}
    assert messages_in_flight(pipeline.connection) > 150
    release.set()
    pipeline.wait_until_idle()
    assert pipeline.scores(["burst"]) == {"burst": 603}
    assert quick.script.seen["merge"] - before == 3  # its own, which was held and refused, is sent again
    assert [one for one in pipeline.dead_letters() if "burst" in str(one.object)] == []


def test_g5_files_of_a_window_are_merged_together(quick: Faulty) -> None:
    """The first at once, the others when the table is due: 4 s are between two MERGEs, of which the clock shows 3."""
    pipeline = quick.pipeline
    pipeline.drop("w0.csv", HEADER + row("w0", 700), "paced")
    pipeline.wait_until_idle()
    with ThreadPoolExecutor(4) as drop:
        list(drop.map(lambda n: pipeline.drop(f"w{n}.csv", HEADER + row(f"w{n}", 700), "paced"), range(1, 10)))
    pipeline.wait_until_idle()
    assert len(pipeline.scores([f"w{n}" for n in range(10)], "paced")) == 10
    merges = "SELECT merge_id, MAX(merged_at) AS ended FROM `ops.ledger` WHERE feed = 'paced' GROUP BY 1 ORDER BY 2"
    times = [one["ended"] for one in _rows(pipeline, merges)]
    assert len(times) > 1
    assert all((later - earlier).total_seconds() >= 3 for earlier, later in pairwise(times))


def test_g2_a_kill_while_a_merge_waits_until_it_is_due_loses_nothing(quick: Faulty) -> None:
    """No message is acknowledged before the ledger holds its load; `wait --now` ends the waiting."""
    pipeline = quick.pipeline
    pipeline.drop("first.csv", HEADER + row("first", 710), "slow")
    pipeline.wait_until_idle()
    _lingers(quick, "second", 711)
    MergeNow(pipeline.connection).ask(InFlight(pipeline.connection).snapshot().pending)
    pipeline.wait_until_idle()
    assert pipeline.scores(["first", "second"], "slow") == {"first": 710, "second": 711}
    _lingers(quick, "third", 712)
    quick.kill("merge")
    quick.revive()
    pipeline.wait_until_idle()
    assert pipeline.scores(["first", "second", "third"], "slow") == {"first": 710, "second": 711, "third": 712}
    assert quick.left_in_staging() == []


def _lingers(quick: Faulty, key: str, score: int) -> None:
    """Drops a file of the feed that is merged every 7 minutes, and waits until its message waits."""
    uri = quick.pipeline.drop(f"{key}.csv", HEADER + row(key, score), "slow")
    _eventually(lambda: quick.pipeline.explain(uri)["state"] == "staged")
    # Ingest acknowledges its own message after it has published merge's.
    _eventually(lambda: messages_in_flight(quick.pipeline.connection) == 1)
    assert quick.pipeline.scores([key], "slow") == {}


def _publish_often(pipeline: Pipeline, uri: str, times: int = 60) -> None:
    """Have messages of a load acknowledged that is merged already."""
    pipeline.wait_until_idle()
    _publish(pipeline, uri, times)
    pipeline.wait_until_idle()


def _publish(pipeline: Pipeline, uri: str, times: int) -> None:
    message = (_staged(pipeline, uri, "accounts"), {"feed": "accounts"})
    pipeline.connection.publisher.publish("file-staged", [message] * times)


def _staged(pipeline: Pipeline, uri: str, feed: str) -> bytes:
    found = pipeline.explain(uri)
    source = ObjectGeneration(found["bucket"], found["object"], found["generation"])
    return StagedMessage(Load(feed, source), pipeline.contract(feed)).encode()


def _merges(feed: str) -> Callable[[Call], bool]:
    return lambda call: call.step == "merge" and f".main.{feed}`" in call.sql.replace("`.`", ".")
