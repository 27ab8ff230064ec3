"""G5: merge requests of one feed sent at once to one process, or to two, give the oracle's table."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy import topology
from localcloud import parts, processes, ready, record
from localcloud.environment import clean
from localcloud.parts import Plan
from localcloud.ports import choose
from tests.harness.histories.history import Deliver, Drop, File, History, WaitUntilIdle
from tests.harness.histories.runner import Counts, Run
from tests.harness.pipeline import Pipeline
from tests.harness.subscription import paused_subscription, pull, wait_until

LOADS = 16

# Each file has the key that all have, one that it shares with its neighbour, and one of its own.
HISTORY = History(
    tuple(
        File(
            "readings",
            f"{n}.csv",
            (
                ("0", str(n % 5), str(n), "", "", "U"),
                (str(1 + n // 2), str(-n), "", "", f"of {n}", "U"),
                (str(100 + n), "1", "", "", "", "D" if n % 4 == 0 else "U"),
            ),
        )
        for n in range(LOADS)
    )
)


@pytest.fixture
def staged(pipeline: Pipeline) -> Iterator[tuple[Run, Sequence[Any]]]:
    """All files staged, and their staged messages, which nobody has been sent; what is merged must be the oracle's."""
    run = Run(pipeline, HISTORY, Counts())
    for index in range(LOADS):
        run.take(Drop(index))
    with paused_subscription(pipeline, "merge"):
        for index in range(LOADS):
            run.take(Deliver(index))
        wait_until(lambda: not pipeline.connection.undelivered("ingest"), "staged")
        messages = pull(pipeline, "merge", lambda _: True)
    assert len(messages) == LOADS
    yield run, messages
    run.take(WaitUntilIdle())
    run.compare()


@pytest.fixture
def second_merge(pipeline: Pipeline, tmp_path: Path) -> Iterator[str]:
    """The URL of another process of the merge function on the same cloud."""
    current = record.load(pipeline.cloud.state)
    assert current is not None
    ports = {**current.ports, "merge": choose(0)["merge"]}
    plan = Plan(tmp_path, ports, Path(current.feeds), Path(current.services), current.bus_host)
    part = parts.build(plan, topology.read())["merge"]
    (tmp_path / "run" / "merge").mkdir(parents=True)
    process = processes.start(part.command, {**clean(), **part.variables}, tmp_path / "merge.log")
    try:
        wait_until(lambda: ready.answers(part.probe, "127.0.0.1", part.port), "ready")
        yield plan.url("merge")
    finally:
        processes.end([process])


def post_at_once(urls: Sequence[str], messages: Sequence[Any]) -> None:
    """Every message to every URL, all at once; again, as Pub/Sub would, until each is acknowledged."""

    def post(url: str, message: Any) -> None:
        data = base64.b64encode(message.data).decode()
        wrapped = {"data": data, "attributes": dict(message.attributes), "messageId": message.message_id}
        body = json.dumps({"message": wrapped, "subscription": "projects/local/subscriptions/merge"})
        wait_until(lambda: requests.post(url, data=body, timeout=120).status_code == 204, "acknowledged")

    pairs = [(url, message) for message in messages for url in urls]
    with ThreadPoolExecutor(len(pairs)) as pool:
        list(pool.map(lambda pair: post(*pair), pairs))


def test_g5_sixteen_requests_at_once(pipeline: Pipeline, second_merge: str, staged: tuple[Run, Sequence[Any]]) -> None:
    """Each staged message comes twice, straight to a process that has just started: one MERGE takes them all."""
    post_at_once([f"{second_merge}/"] * 2, staged[1])
    load_ids = [message.attributes["load_id"] for message in staged[1]]
    entries = pipeline.connection.rows(
        "SELECT merge_id FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@ids))",
        {"ids": ("STRING", ",".join(load_ids))},
    )
    assert len(entries) == LOADS
    assert len({entry["merge_id"] for entry in entries}) == 1


def test_g5_sixteen_messages_at_once(pipeline: Pipeline, staged: tuple[Run, Sequence[Any]]) -> None:
    """Each staged message comes twice, through Pub/Sub."""
    for message in [*staged[1], *staged[1]]:
        pipeline.publish("file-staged", message.data, dict(message.attributes))


def test_g5_two_processes_at_once(pipeline: Pipeline, second_merge: str, staged: tuple[Run, Sequence[Any]]) -> None:
    """Each staged message goes to both processes: what one is about to merge, the other merges and drops."""
    post_at_once([f"{pipeline.cloud.read()['DROPMERGE_MERGE_URL']}/", f"{second_merge}/"], staged[1])
