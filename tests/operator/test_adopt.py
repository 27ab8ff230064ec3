"""`dropmerge adopt` takes over a table that was there before its feed; a kill in between is repaired."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from dropmerge.operations.adopt import adopt, adopted_table, plan_adoption
from services.shared.warehouse import Warehouse
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline

_FEED = """
feed: {feed}
objects: incoming/{feed}/*
format: {{type: csv}}
table: shop.{feed}
key: [id, shop]
version: changed
columns:
  - {{name: id, type: INT64, mode: REQUIRED}}
  - {{name: shop, type: STRING, mode: REQUIRED}}
  - {{name: price, type: NUMERIC}}
  - {{name: size, type: STRING}}
  - {{name: changed, type: DATE}}
"""
_HEADER = "id,shop,price,size,changed\n"
_CALLS = range(13)
_FEEDS = ("goods", "bad", "typed", "taken", "none", "own", *(f"cut_{calls}" for calls in _CALLS))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("adopt")
    (folder / "feeds").mkdir()
    for feed in _FEEDS:
        (folder / "feeds" / f"{feed}.yaml").write_text(_FEED.format(feed=feed))
    unversioned = _FEED.format(feed="unversioned").replace("version: changed", "version: _generation")
    (folder / "feeds" / "unversioned.yaml").write_text(unversioned)
    for feed in ("laid_out", "unpartitioned"):
        layout = "cluster_by: [shop, id]\npartition_by: {column: changed, by: month}\n"
        (folder / "feeds" / f"{feed}.yaml").write_text(_FEED.format(feed=feed) + layout)
    with running(folder, folder / "feeds") as pipeline:
        pipeline.connection.warehouse.create_dataset("shop")
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


def _make(pipeline: Pipeline, feed: str, more: str = "", values: str = "") -> None:
    """A table as another loader left it: a column fewer than the contract, and one of its own."""
    pipeline.connection.warehouse.query(
        f"CREATE TABLE shop.{feed} (id INT64, shop STRING, price INT64, changed DATE, note STRING{more})"
    )
    pipeline.connection.warehouse.query(
        f"INSERT INTO shop.{feed} (id, shop, price, changed, note) VALUES "
        f"(1, 'a', 5, DATE '2024-01-01', 'one'), (2, 'a', 6, DATE '2024-03-01', 'two'), "
        f"(3, 'a', 7, DATE '2024-02-01', 'three'){values}"
    )


def test_adopt_takes_the_contract_s_layout_or_refuses_it(pipeline: Pipeline, commands: Commands) -> None:
    """A table's clustering changes, its partitioning does not; a merge judges alike."""
    _make(pipeline, "unpartitioned")
    refused = commands.run("adopt", "unpartitioned", "--dry-run", code=1).stderr
    assert "the contract partitions it by the month of changed, and it is not partitioned" in refused
    pipeline.connection.warehouse.query(
        "CREATE OR REPLACE TABLE shop.laid_out (id INT64, shop STRING, price NUMERIC, changed DATE)"
        " PARTITION BY DATE_TRUNC(changed, MONTH) AS"
        " SELECT 1 AS id, 'a' AS shop, NUMERIC '5' AS price, DATE '2024-01-01' AS changed"
    )
    assert "is clustered by shop, id, from then on" in commands.run("adopt", "laid_out", "--yes").stdout
    pipeline.drop("1.csv", _HEADER + "1,a,6,L,2024-02-01\n2,a,7,L,2024-02-01\n", feed="laid_out")
    pipeline.wait_until_idle()
    assert len(_rows(pipeline, "SELECT id FROM shop.laid_out_current")) == 2
    table = pipeline.connection.warehouse.find_table("local.shop.laid_out")
    assert table
    assert table.clustering_fields == ["shop", "id"]


def _rows(pipeline: Pipeline, sql: str) -> list[dict[str, Any]]:
    return [dict(row) for row in pipeline.connection.rows(sql)]


def test_adopt_takes_over_a_table_with_its_rows(pipeline: Pipeline, commands: Commands) -> None:
    """Merge refuses with that word; a dry run changes nothing; files win by version, and at equal versions."""
    _make(pipeline, "goods")
    data = _HEADER + "1,a,5.5,L,2024-02-01\n2,a,9,L,2024-02-01\n3,a,7.5,S,2024-02-01\n4,a,1,S,2024-01-01\n"
    uri = pipeline.drop("1.csv", data, feed="goods")
    pipeline.wait_until_idle()
    letter = pipeline.dead_letter(uri)
    assert letter.reason == "table_not_adopted"
    assert "dropmerge adopt goods" in str(letter.error)

    said = commands.run("adopt", "goods", "--dry-run").stdout
    assert "shop.goods gains the column size STRING" in said
    assert "shop.goods gains the column _generation INT64" in said
    assert "shop.goods has NUMERIC for price from then on" in said
    assert "shop.goods has 3 rows" in said
    assert "keeps note" in said
    table = pipeline.connection.warehouse.find_table("local.shop.goods")
    assert table is not None
    assert [one.name for one in table.schema] == ["id", "shop", "price", "changed", "note"]
    commands.run("adopt", "goods", code=2)  # nobody to ask

    assert commands.json("adopt", "goods", "--yes")["adopted"] is True
    found = _rows(pipeline, "SELECT _deleted, _generation, _object, _load_id FROM shop.goods")
    assert found == [{"_deleted": False, "_generation": 0, "_object": "", "_load_id": "adopted"}] * 3
    kept = _rows(pipeline, "SELECT id, shop, size, _load_id FROM ops.adopted_shop_goods ORDER BY id")
    assert kept == [{"id": n, "shop": "a", "size": None, "_load_id": "adopted"} for n in (1, 2, 3)]
    row = commands.json("explain", "--feed", "goods", "--row", "id=1", "shop=a")
    assert (row["state"], float(row["row"]["price"])) == ("merged", 5)
    assert "was there before this feed (adopted)" in row["why"]
    assert "adopted" in commands.run("explain", "--feed", "goods", "--row", "id=1", "shop=a").stdout

    commands.run("dead-letters", "replay", "--id", letter.id, "--yes")
    pipeline.wait_until_idle()
    assert pipeline.explain(uri)["state"] == "merged"
    found = _rows(pipeline, "SELECT id, CAST(price AS FLOAT64) AS price, size, note FROM shop.goods ORDER BY id")
    assert [tuple(one.values()) for one in found] == [
        (1, 5.5, "L", None),
        (2, 6, None, "two"),
        (3, 7.5, "S", None),
        (4, 1, "S", None),
    ]
    assert "nothing to adopt" in commands.run("adopt", "goods", "--yes").stdout
    table = pipeline.connection.warehouse.find_table("local.shop.goods")
    assert table is not None
    assert table.clustering_fields == ["id", "shop"]


def test_nothing_to_adopt(pipeline: Pipeline, commands: Commands) -> None:
    """Where there is no table, and where the table is one that a merge made."""
    assert "shop.none does not exist" in commands.run("adopt", "none", "--yes").stdout
    pipeline.drop("1.csv", _HEADER + "1,a,1,L,2024-01-01\n", feed="own")
    pipeline.wait_until_idle()
    answer = commands.json("adopt", "own", "--yes")
    assert (answer["adopted"], answer["sentences"]) == (False, ["was made by dropmerge, so there is nothing to adopt"])
    assert "no feed 'other'" in commands.run("adopt", "other", "--yes", code=2).stderr


def test_a_table_that_cannot_be_adopted_is_left_as_it_is(pipeline: Pipeline, commands: Commands) -> None:
    """Keys that are doubled, keys and versions that are NULL, types that cannot follow, names that are taken."""
    _make(
        pipeline,
        "bad",
        values=", (1, 'a', 5, DATE '2024-01-01', 'again'), (4, 'b', 5, NULL, ''), (NULL, 'b', 5, NULL, '')",
    )
    said = commands.run("adopt", "bad", "--yes", code=1).stderr
    assert "NULL in id, shop or changed in 2 of its rows" in said
    assert "1 of its keys (id, shop) are in several rows" in said
    pipeline.connection.warehouse.query("CREATE TABLE shop.typed (id STRING, price FLOAT64, changed DATE)")
    said = commands.run("adopt", "typed", "--yes", code=1).stderr
    assert "id is INT64, and STRING in the table" in said
    assert "price is NUMERIC, and FLOAT64 in the table" in said
    assert "it lacks shop" in said
    _make(pipeline, "taken", ", _deleted BOOL")
    assert "_deleted, the names of dropmerge's own columns" in commands.run("adopt", "taken", "--yes", code=1).stderr
    for feed, columns in (("bad", 5), ("typed", 3), ("taken", 6)):
        table = pipeline.connection.warehouse.find_table(f"local.shop.{feed}")
        assert table is not None
        assert (len(table.schema), table.labels) == (columns, {})


class _Cut(Exception):
    """A kill."""


@pytest.mark.parametrize("calls", _CALLS)
def test_g9_adopt_finishes_what_was_cut_short(
    pipeline: Pipeline, commands: Commands, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """After any number of its calls merge refuses or goes on rightly, and adopt again ends the same."""
    name = f"cut_{calls}"
    _make(pipeline, name)
    feed = pipeline.connection.feeds[name]
    plan = plan_adoption(pipeline.connection, feed)
    left = calls

    def cut(real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise _Cut
            return real(*args, **options)

        return call

    with monkeypatch.context() as patched:
        for method in ("query", "update_table", "create_table"):
            patched.setattr(Warehouse, method, cut(getattr(Warehouse, method)))
        with contextlib.suppress(_Cut):
            adopt(pipeline.connection, plan)
    uri = pipeline.drop("1.csv", _HEADER + "1,a,100,L,2024-02-01\n", feed=name)
    pipeline.wait_until_idle()
    state = pipeline.explain(uri)["state"]
    if state == "dead_lettered":
        assert pipeline.dead_letter(uri).reason == "table_not_adopted"
    commands.run("adopt", name, "--yes")
    if state == "dead_lettered":
        commands.run("dead-letters", "replay", "--id", pipeline.dead_letter(uri).id, "--yes")
        pipeline.wait_until_idle()
    found = _rows(pipeline, f"SELECT id, price, _generation > 0 AS is_new FROM shop.{name} ORDER BY id")
    assert [tuple(one.values()) for one in found] == [(1, 100, True), (2, 6, False), (3, 7, False)]
    assert _rows(pipeline, f"SELECT COUNT(*) AS n FROM {adopted_table(feed)}") == [{"n": 3}]


def test_a_table_without_versions_is_adopted_by_a_feed_without_one(pipeline: Pipeline, commands: Commands) -> None:
    """Each file is newer than its rows; a date that is NULL in one of them is no reason."""
    _make(pipeline, "unversioned", values=", (4, 'a', 1, NULL, 'four')")
    said = commands.run("adopt", "unversioned", "--yes").stdout
    assert "shop.unversioned has 4 rows, which get generation 0: a file's row wins" in said
    pipeline.drop("1.csv", f"{_HEADER}2,a,9,L,2000-01-01\n", feed="unversioned")
    pipeline.wait_until_idle()
    found = _rows(pipeline, "SELECT id, price FROM shop.unversioned ORDER BY id")
    assert [(row["id"], float(row["price"])) for row in found] == [(1, 5), (2, 9), (3, 7), (4, 1)]
