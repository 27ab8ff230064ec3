"""Every command that changes something asks first and acts on a yes only; where nobody can answer, it refuses."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.commands import Commands
from tests.harness.dead_letters import INGEST_DEAD_LETTERS, empty_dead_letters, forward, ours, put
from tests.harness.feeds import NUMBERS
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.screen import CTRL_C, CTRL_D, Terminal
from tests.harness.subscription import paused_subscription, pull_all

ANSWERS = [
    pytest.param("y\n", 0, id="a yes"),
    pytest.param("n\n", 1, id="a no"),
    pytest.param(CTRL_C, 130, id="Ctrl-C"),
]


@dataclass(frozen=True)
class Change:
    """A command that asks, on something of its own to change."""

    words: list[str]
    question: str
    done: Callable[[], bool]
    """Whether it was done."""


@contextmanager
def overwriting(pipeline: Pipeline, folder: Path, name: str) -> Iterator[Change]:
    (folder / f"{name}.csv").write_text(HEADER + row(name, 500))
    before = pipeline.drop(f"{name}.csv", HEADER + row(name, 400)).rpartition("#")[2]

    def done() -> bool:
        blob = pipeline.connection.storage.bucket("landing").get_blob(f"incoming/accounts/{name}.csv")
        return str(blob.generation) != before

    question = f"overwrite gs://landing/incoming/accounts/{name}.csv? [y/N]"
    yield Change(["drop", f"{name}.csv"], question, done)


@contextmanager
def replaying(pipeline: Pipeline, _: Path, name: str) -> Iterator[Change]:
    with _dead_letters(pipeline, name) as (words, done):
        yield Change(["dead-letters", "replay", *words], "replay 2 dead letters? [y/N]", done)


@contextmanager
def discarding(pipeline: Pipeline, _: Path, name: str) -> Iterator[Change]:
    with _dead_letters(pipeline, name) as (words, done):
        question = "discard 2 dead letters? [y/N]"
        yield Change(["dead-letters", "discard", "--why", "a test", *words], question, done)


@contextmanager
def _dead_letters(pipeline: Pipeline, name: str) -> Iterator[tuple[list[str], Callable[[], bool]]]:
    objects = [f"incoming/accounts/{name}-{n}.csv" for n in range(2)]
    before = pipeline.connection.undelivered(INGEST_DEAD_LETTERS)
    for one in objects:
        put(pipeline, ours(one))

    def done() -> bool:
        left = pipeline.connection.undelivered(INGEST_DEAD_LETTERS) - before
        assert left in (0, 2), "both or neither"
        return not left

    yield ["--object", f"*/{name}-*"], done


@contextmanager
def announcing(pipeline: Pipeline, _: Path, name: str) -> Iterator[Change]:
    with paused_subscription(pipeline, "ingest") as path:
        pipeline.drop(f"{name}.csv", HEADER + row(name))
        pull_all(pipeline, path, 1)

        def done() -> bool:
            return pipeline.connection.undelivered("ingest") == 1

        yield Change(
            ["backfill", f"gs://landing/incoming/accounts/{name}"], "Re-announce 1 unmerged file under gs://", done
        )
        if done():
            pull_all(pipeline, path, 1)
        pipeline.connection.storage.bucket("landing").blob(f"incoming/accounts/{name}.csv").delete()
        pull_all(pipeline, path, 1)  # its own notification


@contextmanager
def purging(pipeline: Pipeline, _: Path, name: str) -> Iterator[Change]:
    uri = pipeline.drop(f"{name}.csv", HEADER + row(name, operation="D"))
    pipeline.wait_until_idle()
    pipeline.connection.rows(
        "UPDATE `ops.ledger` SET merged_at = TIMESTAMP_SUB(merged_at, INTERVAL 40 DAY) WHERE load_id = @id",
        {"id": ("STRING", pipeline.explain(uri)["load_id"])},
    )
    sql = "SELECT customer_id FROM `main.accounts` WHERE customer_id = @key"

    def done() -> bool:
        return not pipeline.connection.rows(sql, {"key": ("STRING", name)})

    assert not done()
    yield Change(["purge-tombstones", "--older-than", "32d"], "remove 1 tombstone (1 of accounts)? [y/N]", done)
    pipeline.connection.rows("DELETE FROM `main.accounts` WHERE customer_id = @key", {"key": ("STRING", name)})


@contextmanager
def adopting(pipeline: Pipeline, folder: Path, name: str) -> Iterator[Change]:
    feed, feeds = name.replace("-", "_"), folder / f"{name}-feeds"
    feeds.mkdir()
    (feeds / "feed.yaml").write_text(NUMBERS.replace("numbers", feed))
    pipeline.connection.warehouse.query(f"CREATE TABLE main.{feed} AS SELECT NUMERIC '1' AS n, 1 AS v")

    def done() -> bool:
        table = pipeline.connection.warehouse.find_table(f"local.main.{feed}")
        assert table is not None
        assert len(table.schema) in (2, 6), "all of it or nothing"
        return len(table.schema) == 6

    yield Change(["adopt", feed, "--feeds", str(feeds)], f"adopt main.{feed}? [y/N]", done)


@contextmanager
def rebuilding(pipeline: Pipeline, folder: Path, name: str) -> Iterator[Change]:
    feed, feeds = name.replace("-", "_"), folder / f"{name}-feeds"
    feeds.mkdir()
    (feeds / "feed.yaml").write_text(NUMBERS.replace("numbers", feed))

    def done() -> bool:
        return pipeline.connection.warehouse.table_exists(f"local.main.{feed}")

    yield Change(["rebuild", feed, "--feeds", str(feeds)], f"rebuild main.{feed}? [y/N]", done)


CHANGES = [overwriting, replaying, discarding, announcing, purging, adopting, rebuilding]
Make = Callable[[Pipeline, Path, str], AbstractContextManager[Change]]


@pytest.mark.parametrize(("keys", "code"), ANSWERS)
@pytest.mark.parametrize("make", CHANGES, ids=lambda make: make.__name__)
def test_only_a_yes_changes_anything(pipeline: Pipeline, shared: Terminal, make: Make, keys: str, code: int) -> None:
    """The question comes after what would be done; a no is exit code 1, Ctrl-C 130."""
    name = f"{make.__name__}-{code}-{len(keys)}-{ord(keys[0])}"
    with make(pipeline, shared.folder, name) as change:
        with shared.types(*change.words) as screen:
            screen.see(change.question)
            assert not change.done(), "not before the answer"
            screen.type(keys)
            text = screen.ends(code)
        assert change.done() == (code == 0)
        assert ("nothing was changed" in text) == (code == 1)
        assert text.count("wrong_header") <= 1, "the summary once"


@pytest.mark.parametrize("keys", ["\n", CTRL_D, "maybe\n"], ids=["just Enter", "Ctrl-D", "another word"])
def test_what_is_not_a_yes_is_a_no(pipeline: Pipeline, shared: Terminal, keys: str) -> None:
    with overwriting(pipeline, shared.folder, f"not-a-yes-{ord(keys[0])}") as change:
        with shared.types(*change.words) as screen:
            screen.see(change.question)
            screen.type(keys)
            assert "nothing was changed" in screen.ends(1)
        assert not change.done()


NOBODY = {
    "no input": "{line} < /dev/null",
    "a yes in a pipe": "yes | {line}",
    "closed input": "{line} <&-",
    "no controlling terminal": "setsid --wait {line} < /dev/null",
    "a question that nobody sees": "{line} 2> unseen; code=$?; cat unseen; exit $code",
    "closed errors": "{line} 2>&-",
}


@pytest.mark.parametrize("make", CHANGES, ids=lambda make: make.__name__)
def test_where_nobody_can_be_asked_nothing_is_changed(pipeline: Pipeline, shared: Terminal, make: Make) -> None:
    """The exit code is 2 and the error says what to add, even if only standard input is not a terminal."""
    with make(pipeline, shared.folder, f"{make.__name__}-nobody") as change, ExitStack() as windows:
        line = shlex.join(shared.dropmerge(*change.words))
        screens = {
            name: windows.enter_context(shared.opens(["bash", "-c", how.format(line=line)]))
            for name, how in NOBODY.items()
        }
        for name, screen in screens.items():
            assert "add --yes" in screen.ends(2) or name == "closed errors", name
        assert not change.done()


@pytest.mark.parametrize("make", CHANGES, ids=lambda make: make.__name__)
def test_a_dry_run_asks_nobody_and_yes_needs_nobody(pipeline: Pipeline, shared: Terminal, make: Make) -> None:
    commands = Commands({"DROPMERGE_STATE": str(pipeline.cloud.state)})
    with make(pipeline, shared.folder, f"{make.__name__}-unasked") as change:
        words = [str(shared.folder / word) if word.endswith(".csv") else word for word in change.words]
        for option, is_done in (("--dry-run", False), ("--yes", True)):
            assert "[y/N]" not in commands.run(*words, option).stderr
            assert change.done() == is_done


def test_a_new_object_is_dropped_without_a_question(pipeline: Pipeline, shared: Terminal) -> None:
    """This holds with or without a terminal; a name that comes twice in one command is not new the second time."""
    (shared.folder / "new.csv").write_text(HEADER + row("new"))
    with shared.types("drop", "new.csv") as screen:
        assert "[y/N]" not in screen.ends(0)
    bucket = pipeline.connection.storage.bucket("landing")
    assert bucket.blob("incoming/accounts/new.csv").exists()
    (shared.folder / "twice.csv").write_text(HEADER + row("twice"))
    with shared.types("drop", "twice.csv", "twice.csv") as screen:
        screen.see("overwrite gs://landing/incoming/accounts/twice.csv?")
        screen.type("n\n")
        screen.ends(1)
    assert not bucket.blob("incoming/accounts/twice.csv").exists()


def test_more_than_a_hundred_are_discarded_only_once_their_number_is_typed(
    pipeline: Pipeline, shared: Terminal
) -> None:
    empty_dead_letters(pipeline)
    name = "incoming/accounts/hundred.csv"
    pipeline.connection.publisher.publish(INGEST_DEAD_LETTERS, [(b"{}", ours(name)) for _ in range(101)])
    with shared.types("dead-letters", "list") as screen:
        text = screen.ends(0)
    assert text.count("hundred.csv") == 20, "no more than fit on a screen"
    count, following = text.strip().splitlines()[-2:]
    assert "101 dead letters are waiting: 101 wrong_header" in count
    assert following.startswith("next: dropmerge dead-letters show ")
    for keys, code, left in (("y\n", 1, 101), ("100\n", 1, 101), ("101\n", 0, 0)):
        with shared.types("dead-letters", "discard", "--all", "--why", "a test") as screen:
            screen.see("discard 101 dead letters? [type 101 to go on]: ")
            screen.type(keys)
            screen.ends(code)
        assert pipeline.connection.undelivered(INGEST_DEAD_LETTERS) == left


def test_what_somebody_else_took_meanwhile_is_named(pipeline: Pipeline, shared: Terminal) -> None:
    """The exit code is 1, not 2: the command line made sense when it was typed."""
    name = "incoming/accounts/taken.csv"
    mine, taken = (put(pipeline, ours(name)) for _ in range(2))
    with shared.types("dead-letters", "replay", "--object", name) as screen:
        screen.see("replay 2 dead letters? [y/N]")
        other = Commands({"DROPMERGE_STATE": str(pipeline.cloud.state)})
        other.run("dead-letters", "discard", "--id", taken, "--why", "dup", "--yes")
        screen.type("y\n")
        text = " ".join(screen.ends(1).split())
    assert f"dead letter {taken} was discarded by " in text
    assert '("dup") while you were deciding' in text
    assert "replayed 1 dead letter" in text
    for dead_letter in (mine, taken):
        again = other.run("dead-letters", "discard", "--id", dead_letter, "--why", "late", "--yes", code=1)
        assert f"dead letter {dead_letter} is not waiting: " in again.stderr


def test_what_is_printed_for_a_program_holds_no_question(pipeline: Pipeline, shared: Terminal) -> None:
    """Its standard output may go elsewhere while a person is asked."""
    with replaying(pipeline, shared.folder, "redirected") as change:
        line = shlex.join(shared.dropmerge(*change.words, "--json"))
        with shared.opens(["bash", "-c", f"{line} > redirected.json"]) as screen:
            screen.see("wrong_header")
            screen.see(change.question)
            screen.type("yes\n")
            screen.ends(0)
        assert change.done()
    text = (shared.folder / "redirected.json").read_text()
    assert text.startswith("[")
    assert len(json.loads(text)) == 2


def test_a_replay_with_a_canary_asks_once_and_takes_what_was_agreed_to(pipeline: Pipeline, shared: Terminal) -> None:
    """A dead letter that comes after the question stays, though the canary merges and the rest follows it."""
    with paused_subscription(pipeline, "ingest") as path:
        for n in range(3):
            pipeline.drop(f"agreed-{n}.csv", HEADER + row(f"agreed-{n}"))
        first, second, third = pull_all(pipeline, path, 3)
    for message in (first, second):
        forward(pipeline, message, INGEST_DEAD_LETTERS)
    with shared.types("dead-letters", "replay", "--object", "*/agreed-*", "--canary", "1") as screen:
        screen.see("replay 2 dead letters? [y/N]")
        later = forward(pipeline, third, INGEST_DEAD_LETTERS)
        screen.type("y\n")
        text = screen.ends(0)
    assert text.count("[y/N]") == 1
    assert "replayed 2 dead letters" in text
    assert "2 merged" in text
    assert [one.id for one in pipeline.dead_letters() if "/agreed-" in (one.object or "")] == [later]
    with shared.types("dead-letters", "replay", "--id", later, "--yes", "--wait") as screen:
        assert "1 merged" in screen.ends(0)


def test_dead_letters_replayed_too_often_are_named_after_the_question_too(
    pipeline: Pipeline, shared: Terminal
) -> None:
    """The exit code is 1, as without a question; the other dead letter is replayed."""
    ids = [put(pipeline, ours("incoming/accounts/replayed-often.csv", replay_count=str(n))) for n in (0, 5)]
    with shared.types("dead-letters", "replay", "--object", "*/replayed-often.csv") as screen:
        screen.see("replay 1 dead letter? [y/N]")
        screen.type("y\n")
        assert "1 letter replayed 5 times already" in screen.ends(1)
    assert {dead_letter.id for dead_letter in pipeline.dead_letters()} & set(ids) == {ids[1]}


def test_a_window_that_is_closed_at_the_question_changes_nothing(pipeline: Pipeline, shared: Terminal) -> None:
    with discarding(pipeline, shared.folder, "closed") as change:
        with shared.types(*change.words) as screen:
            screen.see(change.question)
            screen.hang_up()
            screen.process.wait(60)
        assert not change.done()
        assert os.getpid() not in {one.pid for one in shared.processes()}
