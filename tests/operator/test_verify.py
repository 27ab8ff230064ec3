"""`dropmerge verify` finds each row of a main table that its files do not make, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dropmerge.operations.errors import NotDone
from dropmerge.operations.rebuild.verify import Verification, Verified
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("verify")
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        pipeline.drop("1.csv", HEADER + "".join(row(key) for key in "abcdefgh"))
        pipeline.wait_until_idle()
        pipeline.drop("2.csv", HEADER + row("a", 650, day=2) + row("b", day=2, operation="D") + row("i", ""))
        pipeline.drop("bad.csv", HEADER + row("x", score="many"))
        pipeline.wait_until_idle()
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


@pytest.fixture
def before(pipeline: Pipeline) -> Iterator[None]:
    """The table is as it was after the test."""
    rows = pipeline.connection.warehouse.query
    rows("CREATE OR REPLACE TABLE `main.kept` AS SELECT * FROM `main.accounts`")
    yield
    rows("DELETE FROM `main.accounts` WHERE TRUE")
    rows("INSERT INTO `main.accounts` SELECT * FROM `main.kept`")


def _plant(pipeline: Pipeline, *statements: str) -> None:
    for one in statements:
        pipeline.connection.warehouse.query(one)


_SAME = "account_number, credit_score, account_balance, last_modified, _deleted, _generation, _object, _load_id"


def _left(pipeline: Pipeline) -> list[Any]:
    warehouse = pipeline.connection.warehouse
    entries = warehouse.query("SELECT main_table FROM `ops.main_tables` WHERE STRPOS(feed, '__') > 0")
    ledger = warehouse.query("SELECT load_id FROM `ops.ledger` WHERE STRPOS(feed, '__') > 0")
    locks = [name for name in warehouse.list_tables("ops", "lock_") if "verify" in name]
    return [*warehouse.list_tables("staging", ""), *locks, *entries, *ledger]


def test_g1_a_table_that_is_what_its_files_make_has_no_difference(pipeline: Pipeline, commands: Commands) -> None:
    """And nothing is left of what it was compared with."""
    found = commands.json("verify", "accounts")
    assert (found["differences"], found["files"], found["rows"]) == (0, 2, [])
    assert _left(pipeline) == []
    assert "no rows differ from what 2 files make" in commands.run("verify", "accounts").stdout


@pytest.mark.usefixtures("before")
def test_g1_each_planted_change_is_found_and_nothing_else(pipeline: Pipeline, commands: Commands) -> None:
    """A cell, a NULL that was none, a missing key, a key brought back, one lost, an extra row, a row twice."""
    _plant(
        pipeline,
        "UPDATE `main.accounts` SET credit_score = 1 WHERE customer_id = 'a'",
        "UPDATE `main.accounts` SET account_balance = NULL WHERE customer_id = 'c'",
        "UPDATE `main.accounts` SET credit_score = 2 WHERE customer_id = 'i'",
        "DELETE FROM `main.accounts` WHERE customer_id = 'd'",
        "UPDATE `main.accounts` SET _deleted = FALSE WHERE customer_id = 'b'",
        "UPDATE `main.accounts` SET _deleted = TRUE WHERE customer_id = 'e'",
        f"INSERT INTO `main.accounts` (customer_id, {_SAME}) "
        f"SELECT 'new', {_SAME} FROM `main.accounts` WHERE customer_id = 'f'",
        f"INSERT INTO `main.accounts` (customer_id, {_SAME}) "
        f"SELECT customer_id, {_SAME} FROM `main.accounts` WHERE customer_id = 'g'",
    )
    found = commands.json("verify", "accounts", code=1)
    assert {one["key"]["customer_id"]: one["what"] for one in found["rows"]} == {
        "a": "changed",
        "b": "brought_back",
        "c": "changed",
        "d": "missing",
        "e": "deleted",
        "g": "extra",
        "i": "changed",
        "new": "extra",
    }
    rows = {one["key"]["customer_id"]: one for one in found["rows"]}
    assert found["differences"] == len(rows) == 8
    assert rows["a"]["columns"] == {"credit_score": [1, 650]}
    assert rows["i"]["columns"] == {"credit_score": [2, None]}
    assert list(rows["c"]["columns"]) == ["account_balance"]
    assert rows["a"]["object"].endswith("2.csv")
    assert rows["d"]["object"].endswith("1.csv")
    text = commands.run("verify", "accounts", "--limit", 2, code=1).stdout
    assert "customer_id=a, account_number=a differs (credit_score: 1, should be 650)" in text
    assert "and 6 more" in text


def test_g1_a_file_that_is_merged_meanwhile_is_no_difference(pipeline: Pipeline) -> None:
    """Its rows are newer than the files that the table is compared with; what else differs is found."""
    _plant(pipeline, "UPDATE `main.accounts` SET credit_score = 1 WHERE customer_id = 'c'")

    def drop(step: str, count: int) -> None:
        if step == "compared":
            pipeline.drop("during.csv", HEADER + row("a", 444, day=9) + row("during"))
            pipeline.wait_until_idle()

    found = Verification(pipeline.connection, pipeline.connection.feeds["accounts"], tell=drop).run()
    _plant(pipeline, "UPDATE `main.accounts` SET credit_score = 700 WHERE customer_id = 'c'")
    assert [one.key["customer_id"] for one in found.listed] == ["c"]


class _Killed(Exception):
    """As a kill -9: nothing is cleaned up."""


@pytest.mark.parametrize("step", ["staged", "merged", "compared"])
def test_g1_a_verification_that_was_interrupted_is_right_the_next_time(pipeline: Pipeline, step: str) -> None:
    feed = pipeline.connection.feeds["accounts"]

    def die(now: str, count: int) -> None:
        if now == step:
            raise _Killed

    with pytest.raises(_Killed):
        Verification(pipeline.connection, feed, tell=die).run()
    assert Verification(pipeline.connection, feed).run().is_equal
    assert _left(pipeline) == []


@pytest.mark.parametrize("step", ["found", "staged", "merged", "compared"])
def test_g1_a_verification_that_is_started_again_meanwhile_finds_nothing_that_is_not_so(
    pipeline: Pipeline, step: str
) -> None:
    """The newer one goes on; the older one says so, and takes none of the newer one's tables for its own."""
    feed = pipeline.connection.feeds["accounts"]
    begun, newer = list[str](), list[Verified]()

    def start_again(now: str, count: int) -> None:
        if now == step and not begun:
            begun.append(now)
            newer.append(Verification(pipeline.connection, feed).run())

    with pytest.raises(NotDone, match="was started again in the meantime"):
        Verification(pipeline.connection, feed, tell=start_again).run()
    assert newer[0].is_equal
    assert Verification(pipeline.connection, feed).run().is_equal
    assert _left(pipeline) == []


def test_g3_a_purged_tombstone_is_no_difference(pipeline: Pipeline, commands: Commands) -> None:
    """One that the purge did not reach is."""
    pipeline.drop("old.csv", HEADER + row("old", operation="D"))
    pipeline.wait_until_idle()
    pipeline.connection.warehouse.query(
        "UPDATE `ops.ledger` SET merged_at = TIMESTAMP_SUB(merged_at, INTERVAL 40 DAY) WHERE load_id IN "
        "(SELECT _load_id FROM `main.accounts` WHERE customer_id = 'old')"
    )
    commands.run("purge-tombstones", "--older-than", "32d", "--yes")
    assert commands.json("verify", "accounts")["differences"] == 0
    _plant(pipeline, "DELETE FROM `main.accounts` WHERE customer_id = 'b'")
    found = commands.json("verify", "accounts", code=1)
    assert [(one["what"], one["key"]["customer_id"]) for one in found["rows"]] == [("missing", "b")]
