"""`dropmerge rebuild` makes a main table anew from the archive, and puts it in the live one's place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dropmerge.operations.connection import Connection
from dropmerge.operations.rebuild.rebuild import Rebuild, rebuild_in_place
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row

_STEPS = ["found", "staged", "merged", "caught up", "closed", "sealed", "placed", "reopened"]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("rebuild")
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        _fill(pipeline)
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


def _fill(pipeline: Pipeline) -> None:
    """Updates, a delete, a stale row, a refused file."""
    pipeline.drop("1.csv", HEADER + row("a") + row("b") + row("c") + row("d"))
    pipeline.drop("2.csv", HEADER + row("a", 650, day=2) + row("b", day=2, operation="D") + row("e"))
    pipeline.drop("3.csv", HEADER + row("b", 600) + row("f", balance="2.25"))
    pipeline.drop("bad.csv", HEADER + row("g", score="many"))
    pipeline.wait_until_idle()


def _rows(pipeline: Pipeline, table: str = "main.accounts") -> list[dict[str, Any]]:
    found = pipeline.connection.rows(f"SELECT * FROM `{table}` ORDER BY customer_id, account_number")
    return [dict(one) for one in found]


def _table(pipeline: Pipeline, name: str = "main.accounts") -> Any:
    return pipeline.connection.warehouse.find_table(f"local.{name}")


def _left(pipeline: Pipeline) -> list[str]:
    """What of a rebuild is still there."""
    warehouse = pipeline.connection.warehouse
    built = [name for name in warehouse.list_tables("main", "") if "__" in name]
    locks = [name for name in warehouse.list_tables("ops", "lock_") if "__" in name]
    staged = warehouse.list_tables("staging", "_")
    entries = pipeline.connection.rows("SELECT main_table FROM `ops.main_tables` WHERE STRPOS(feed, '__') > 0")
    ledger = pipeline.connection.rows("SELECT load_id FROM `ops.ledger` WHERE STRPOS(feed, '__') > 0")
    return [*built, *locks, *staged, *(one[0] for one in entries), *(one[0] for one in ledger)]


def test_g1_a_rebuilt_table_is_the_same_table(pipeline: Pipeline, commands: Commands) -> None:
    """All columns and metadata; the ledger holds the same loads, and the next file is merged as ever."""
    rows, before = _rows(pipeline), _table(pipeline)
    status = commands.json("status")["feeds"]["accounts"]
    preview = commands.json("rebuild", "accounts", "--dry-run")
    assert (preview["files"], preview["left_out"], preview["gone"], preview["changes"]) == (3, 1, [], [])
    assert commands.json("rebuild", "accounts", "--yes")["files"] == 3
    after = _table(pipeline)
    assert _rows(pipeline) == rows
    assert after.created > before.created
    for what in ("schema", "clustering_fields", "labels"):
        assert getattr(after, what) == getattr(before, what)
    assert _left(pipeline) == []
    assert commands.json("status")["feeds"]["accounts"] == status
    assert commands.json("backfill", "gs://archive/accounts/", "--dry-run") == []
    pipeline.drop("later.csv", HEADER + row("later", 444))
    pipeline.wait_until_idle()
    assert pipeline.scores(["later", "a", "b"]) == {"later": 444, "a": 650}


class _Killed(Exception):
    """As a kill -9: nothing is cleaned up."""


@pytest.mark.parametrize("step", _STEPS)
def test_g1_a_rebuild_that_was_interrupted_is_finished_by_the_next(pipeline: Pipeline, step: str) -> None:
    """Wherever it died; a file that comes between is in the table afterwards."""
    connection: Connection = pipeline.connection
    rows = _rows(pipeline)

    def die(now: str, count: int) -> None:
        if now == step:
            raise _Killed

    with pytest.raises(_Killed):
        Rebuild(rebuild_in_place(connection, connection.feeds["accounts"]), tell=die).run()
    pipeline.drop(f"{step}.csv", HEADER + row(f"z-{step}", 555))
    done = Rebuild(rebuild_in_place(connection, connection.feeds["accounts"])).run()
    pipeline.wait_until_idle()
    assert done.refused == []
    assert pipeline.scores([f"z-{step}"]) == {f"z-{step}": 555}
    assert [one for one in _rows(pipeline) if one["customer_id"] != f"z-{step}"] == rows
    assert _left(pipeline) == []
