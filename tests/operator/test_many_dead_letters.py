"""Many dead letters are listed and replayed in batches, and an interrupted replay loses none."""

import gc
import itertools
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from dropmerge.operations.dead_letters import replay
from dropmerge.operations.dead_letters.replay import replay_batch
from dropmerge.operations.dead_letters.subscription import MAX_PULL
from services.shared.messages.dead_letter import DeadLetter
from tests.harness.commands import Commands
from tests.harness.dead_letters import INGEST_DEAD_LETTERS, empty_dead_letters, ours, put, put_many
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all

_RATE = 8


def test_many_dead_letters_are_never_all_in_memory(
    pipeline: Pipeline, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is listed and replayed once and whole, a pull's worth at a time. Ten thousand: many_dead_letters.py."""
    empty_dead_letters(pipeline)
    count, held = 4 * MAX_PULL, []

    def watched(*arguments: Any, **more: Any) -> None:
        gc.collect()
        held.append(sum(isinstance(one, DeadLetter) for one in gc.get_objects()))
        replay_batch(*arguments, **more)

    monkeypatch.setattr(replay, "replay_batch", watched)
    data = put_many(pipeline, count, size=64)
    assert len({one["id"] for one in commands.json("dead-letters", "list")}) == count
    with paused_subscription(pipeline, "ingest") as path:
        assert len(set(commands.json("dead-letters", "replay", "--all", "--yes"))) == count
        found = pull_all(pipeline, path, count)
    assert {message.data for message in found} == data
    assert len({message.attributes["replay_of"] for message in found}) == count
    assert max(held) <= MAX_PULL, "dead letters of one pull, no others"
    assert pipeline.connection.undelivered(INGEST_DEAD_LETTERS) == 0


_KILLS = [
    (when, step, batch)
    for batch in (1, 2)
    for step in ("publish", "record", "acknowledge")
    for when in ("before", "after")
    if (when, batch) != ("before", 2) or step == "record"
]


@pytest.mark.slow
def test_replay_killed_ten_times_loses_and_doubles_nothing(pipeline: Pipeline, commands: Commands) -> None:
    """SIGKILL at each publish, record and acknowledgement leaves every dead letter published and file merged once."""
    assert len(_KILLS) == 10
    empty_dead_letters(pipeline)
    keys = [f"killed-{n}" for n in range(8)]
    with paused_subscription(pipeline, "ingest") as path:
        uris = [pipeline.drop(f"{key}.csv", HEADER + row(key, 400 + n)) for n, key in enumerate(keys)]
        arrived = pull_all(pipeline, path, len(keys))
        reason = {"dropmerge_reason": "access_denied", "dropmerge_error": "made by a test"}
        copies = [(m.data, {**m.attributes, **reason}) for m in arrived] * 20
        dead_letters = pipeline.connection.publisher.publish(INGEST_DEAD_LETTERS, copies)
        for kill in _KILLS:
            process = _start(commands, "dead-letters", "replay", "--all", "--yes", "--rate", str(_RATE), kill=kill)
            process.join()
            assert process.exitcode == -signal.SIGKILL, f"it ended before {kill}"
        while pipeline.connection.undelivered(INGEST_DEAD_LETTERS):
            commands.run("dead-letters", "replay", "--all", "--yes")  # until the leases of the killed ones have lapsed
        published = pull_all(pipeline, path, pipeline.connection.undelivered("ingest"))
    times = Counter(message.attributes["replay_of"] for message in published)
    assert set(times) == set(dead_letters), "none lost"
    # A batch that was published and not acknowledged is published again.
    again = sum((when, step) in {("after", "publish"), ("before", "record")} for when, step, _ in _KILLS)
    again += sum((when, step) in {("after", "record"), ("before", "acknowledge")} for when, step, _ in _KILLS)
    assert times.total() == len(dead_letters) + again * _RATE, "nothing else is published twice"
    # Of each file two are enough to see whether it is merged twice.
    for message in {(m.attributes["objectId"], n % 2): m for n, m in enumerate(published)}.values():
        pipeline.publish("file-arrived", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    assert pipeline.scores(keys) == {key: 400 + n for n, key in enumerate(keys)}
    load_ids = [pipeline.load_id(uri) for uri in uris]
    entries = pipeline.connection.rows(
        "SELECT load_id FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@ids))",
        {"ids": ("STRING", ",".join(load_ids))},
    )
    assert sorted(entry["load_id"] for entry in entries) == sorted(load_ids), "each merged once"


def test_ctrl_c_gives_the_leases_back(pipeline: Pipeline, commands: Commands) -> None:
    """The exit code is 130, and what was not replayed can be replayed at once."""
    empty_dead_letters(pipeline)
    for _ in range(6):
        put(pipeline, ours("incoming/accounts/ctrl-c.csv"))
    with paused_subscription(pipeline, "ingest") as path:
        process = _start(commands, "dead-letters", "replay", "--all", "--yes", "--rate", "1")
        _until_changed(pipeline, "ingest", process)
        os.kill(process.pid or 0, signal.SIGINT)
        process.join(120)
        assert process.exitcode == 130
        left = pipeline.connection.undelivered(INGEST_DEAD_LETTERS)
        assert left, "it was through before"
        assert len(commands.json("dead-letters", "replay", "--all", "--yes")) == left, (
            "a command does not wait for leases of 20 s"
        )
        pull_all(pipeline, path, pipeline.connection.undelivered("ingest"))


def _until_changed(pipeline: Pipeline, subscription: str, process: BaseProcess) -> None:
    """Until the number of messages that wait is another."""
    before = pipeline.connection.undelivered(subscription)
    while pipeline.connection.undelivered(subscription) == before:
        assert process.is_alive()
        time.sleep(0.01)


# A process that has imported everything forks one for each command: starting Python takes longer than most of them.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["dropmerge.__main__", "google.cloud.pubsub_v1", "google.cloud.bigquery"])


_Kill = tuple[str, str, int]
"""Before or after a step, of which batch."""


def _start(commands: Commands, *words: str, kill: _Kill | None = None) -> BaseProcess:
    environ = {**os.environ, **commands.variables}
    process = _SERVER.Process(target=_dropmerge, args=(words, environ, kill), daemon=True)
    process.start()
    return process


def _dropmerge(words: Sequence[str], environ: Mapping[str, str], kill: _Kill | None) -> None:
    from dropmerge.cli.main import app

    os.environ.clear()
    os.environ.update(environ)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if kill:
        _arm(*kill)
    app(words)


def _arm(when: str, step: str, batch: int) -> None:
    """Let SIGKILL meet this process there."""
    from dropmerge.operations.dead_letters import subscription
    from services.shared import journal, publisher

    steps = {"publish": (publisher.Publisher, "publish"), "record": (journal.Journal, "write")}
    owner, name = steps.get(step, (subscription.DeadLetterSubscription, "acknowledge"))
    real, calls = getattr(owner, name), itertools.count(1)

    def deadly(*arguments: Any) -> Any:
        # Both services have their turn in a batch, and one of them nothing to do.
        if not arguments[-1]:
            return real(*arguments)
        last = next(calls) == batch
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = real(*arguments)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, name, deadly)
