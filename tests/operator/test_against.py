"""`dropmerge feeds check --against` says what a deployment will do to each main table that is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline

_FEED = """
feed: stock
objects: incoming/stock/*
format: {type: csv}
table: shop.stock
key: [id, region]
version: day
columns:
  - {name: id, type: INT64}
  - {name: region, type: STRING}
  - {name: a, type: INT64}
  - {name: note, type: STRING}
  - {name: day, type: DATE}
"""
_NOTE = "  - {name: note, type: STRING}\n"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """With a main table, and one that another loader made."""
    folder = tmp_path_factory.mktemp("against")
    (folder / "feeds").mkdir()
    (folder / "feeds" / "stock.yaml").write_text(_FEED)
    with running(folder, folder / "feeds") as pipeline:
        pipeline.drop("1.csv", "id,region,a,note,day\n1,EU,5,x,2024-01-01\n", feed="stock")
        pipeline.wait_until_idle()
        pipeline.connection.warehouse.query("CREATE TABLE shop.foreign AS SELECT 1 AS id, 'EU' AS region")
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands({"DROPMERGE_STATE": str(pipeline.cloud.state), "COLUMNS": "200"})


def _against(commands: Commands, folder: Path, text: str, code: int = 0) -> dict[str, Any]:
    path = folder / "stock.yaml"
    path.write_text(text)
    answer = commands.json("feeds", "check", path, "--against", code=code)
    assert answer["problems"] == []
    (found,) = answer["tables"]
    return dict(found)


def test_a_contract_that_the_table_follows_already_changes_nothing(commands: Commands, tmp_path: Path) -> None:
    found = _against(commands, tmp_path, _FEED)
    assert (found["effect"], found["staged"]) == ("unchanged", 0)
    assert "the contract has not changed" in found["sentences"][0]
    checked = _against(commands, tmp_path, _FEED.replace("a, type: INT64", "a, type: INT64, check: a > 3"))
    assert checked["effect"] == "unchanged"
    assert "files are read by the new contract" in checked["sentences"][0]


def test_what_the_table_gains_loses_and_widens_is_said_column_by_column(commands: Commands, tmp_path: Path) -> None:
    changed = _FEED.replace(_NOTE, "  - {name: colour, type: STRING}\n").replace("a, type: INT64", "a, type: NUMERIC")
    found = _against(commands, tmp_path, changed)
    assert found["effect"] == "changed"
    assert found["sentences"] == [
        "gains the column colour STRING",
        "has NUMERIC for a from then on",
        "keeps note, which is NULL in rows written from then on; shop.stock_current loses it",
    ]
    said = commands.run("feeds", "check", tmp_path / "stock.yaml", "--against").stdout
    assert "shop.stock gains the column colour STRING\n" in said


def test_a_column_that_comes_back_is_named(pipeline: Pipeline, commands: Commands, tmp_path: Path) -> None:
    """Its old values are in rows that were not written meanwhile."""
    view = "CREATE OR REPLACE VIEW shop.stock_current AS SELECT {} FROM shop.stock AS _t WHERE NOT _deleted"
    pipeline.connection.warehouse.query(view.format("id, region, a, day"))
    (said,) = _against(commands, tmp_path, _FEED)["sentences"]
    assert "shows note again" in said
    pipeline.connection.warehouse.query(view.format("id, region, a, note, day"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("key: [id, region]", "key: [id]", "the table's rows have key id INT64, region STRING; version day DATE"),
        ("version: day", "version: a", "the contract says key id INT64, region STRING; version a INT64"),
        (
            "table: shop.stock",
            "table: shop.other",
            "its files were merged into shop.stock, but it now names shop.other",
        ),
        ("feed: stock", "feed: other", "the table has the rows of feed stock"),
        ("a, type: INT64", "a, type: STRING", "a is STRING, and INT64 in the table"),
        ("{name: id, type: INT64", "{name: id, type: NUMERIC", "the contract says key id NUMERIC"),
    ],
)
def test_what_merge_would_refuse_is_a_fault(
    commands: Commands, tmp_path: Path, old: str, new: str, words: str
) -> None:
    """Exit code 1, with the way on."""
    found = _against(commands, tmp_path, _FEED.replace(old, new), code=1)
    assert found["effect"] == "contract_changed"
    (said,) = found["sentences"]
    assert words in said
    assert ("a `table:` of its own" if "feed:" in old else "`dropmerge rebuild stock`") in said
    assert words in commands.run("feeds", "check", tmp_path / "stock.yaml", "--against", code=1).stderr


def test_tables_that_are_not_there_and_tables_of_others(commands: Commands, tmp_path: Path) -> None:
    """A new one is created; one that another loader made has to be adopted."""
    new = _FEED.replace("stock", "fresh")
    assert _against(commands, tmp_path, new)["effect"] == "created"
    foreign = _FEED.replace("stock", "foreign")
    found = _against(commands, tmp_path, foreign, code=1)
    assert found["effect"] == "table_not_adopted"
    assert "`dropmerge adopt foreign`" in found["sentences"][0]


def test_files_staged_under_another_contract_are_counted(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """Each once, and none that this contract has staged too."""
    fingerprint = pipeline.contract("stock")
    for load, contract in (("a", "0" * 12), ("a", "1" * 12), ("b", "0" * 12), ("b", fingerprint), ("c", fingerprint)):
        name = f"staging.stock__{load * 20}__{contract}"
        pipeline.connection.warehouse.query(f"CREATE TABLE `{name}` AS SELECT 1 AS n")
    assert _against(commands, tmp_path, _FEED)["staged"] == 1
    said = commands.run("feeds", "check", tmp_path / "stock.yaml", "--against").stdout
    assert "stock: 1 file staged under another contract will be read again by this one" in said
    assert _against(commands, tmp_path, _FEED.replace("a, type: INT64", "a, type: NUMERIC"))["staged"] == 3


def test_without_a_local_cloud_and_without_a_project_it_says_so(tmp_path: Path) -> None:
    """As other commands do; a check alone needs neither."""
    (tmp_path / "stock.yaml").write_text(_FEED)
    commands = Commands({"DROPMERGE_STATE": str(tmp_path / "state")})
    said = commands.run("feeds", "check", tmp_path / "stock.yaml", "--against", code=1).stderr
    assert "no local cloud is running" in said
    commands.run("feeds", "check", tmp_path / "stock.yaml")
