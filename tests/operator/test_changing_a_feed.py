"""docs/changing-a-feed.md: its commands do what it says, for each kind of change."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud.bigquery import TimePartitioning

from deploy.topology import ROOT
from services.shared.labels import FEED
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline

_PAGE = (ROOT / "docs" / "changing-a-feed.md").read_text(encoding="utf-8")
_FEED = """
feed: FEED
objects: incoming/FEED/*.csv
format: {type: csv}
table: main.FEED
key: [id, part]
version: v
columns:
  - {name: id, type: STRING}
  - {name: part, type: STRING}
  - {name: a, type: INT64}
  - {name: v, type: INT64}
"""
_OLD = "id,part,a,v\n1,x,10,1\n2,x,20,1\n"
_A = "  - {name: a, type: INT64}\n"
_B = "  - {name: b, type: STRING}\n"
_ASKS = ("rebuild", "replay", "backfill", "adopt")


@dataclass(frozen=True)
class Kind:
    """A change of the contract: the feed's rows before and after it, once the page's commands were typed."""

    after: Mapping[str, str]
    """What is replaced in the contract."""
    new: str
    """The file that is dropped after the change."""
    shown: str
    """The view's columns in the end."""
    rows: list[tuple[Any, ...]]
    says: str
    """What `feeds check --against` says, among others."""
    early: str = ""
    """A file that is dropped before the change, and is a dead letter then."""
    before: Mapping[str, str] = field(default_factory=dict)
    """What the contract has first in place of that."""
    old: str = _OLD
    table: str = ""
    """The view's table, where it is not the feed's."""


def _utc(month: int, day: int, hour: int) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


_KINDS = {
    "A column is added": Kind(
        {_A: _A + _B}, "id,part,a,v,b\n3,x,30,1,q\n", "id, a, b",
        [("1", 10, None), ("2", 20, None), ("3", 30, "q"), ("4", 40, "r")],
        "gains the column b STRING", early="id,part,a,v,b\n4,x,40,1,r\n",
    ),
    "A column is removed": Kind(
        {_A: ""}, "id,part,v\n1,x,2\n", "id, v", [("1", 2), ("2", 1)], "keeps a, which is NULL in rows written",
    ),
    "A column comes back": Kind(
        {_A: ""}, "id,part,v\n1,x,2\n", "id, a", [("1", None), ("2", 20), ("3", 30)], "keeps a, which is NULL in rows",
    ),
    "A column is renamed": Kind(
        {"name: a,": "name: amount, from: a,"}, "id,part,a,v\n1,x,11,2\n", "id, amount", [("1", 11), ("2", 20)],
        "keeps a, which is NULL in rows written",
    ),
    "A type is widened": Kind(
        {"a, type: INT64": "a, type: FLOAT64"}, "id,part,a,v\n1,x,1.5,2\n", "id, a", [("1", 1.5), ("2", 20.0)],
        "has FLOAT64 for a from then on",
    ),
    "Another type": Kind(
        {"a, type: INT64": "a, type: STRING"}, "id,part,a,v\n1,x,much,2\n", "id, a", [("1", "much"), ("2", "20")],
        "a is STRING, and INT64 in the table",
    ),
    "REQUIRED and defaults": Kind(
        {"INT64, mode: REQUIRED": "INT64"}, "id,part,a,v\n3,x,,1\n", "id, a",
        [("1", 10), ("2", 20), ("3", None), ("4", None)], "files are read by the new contract",
        early="id,part,v\n4,x,1\n", before={"a, type: INT64": "a, type: INT64, mode: REQUIRED"},
    ),
    "Formats and time zones": Kind(
        {"zone: UTC": "zone: Europe/Berlin, format: [iso, '%d/%m/%Y']"},
        "id,part,a,v\n2,x,2025-07-01 12:00:00,1\n", "id, a",
        [("1", _utc(1, 1, 11)), ("2", _utc(7, 1, 10)), ("4", _utc(12, 30, 23))], "files are read by the new contract",
        early="id,part,a,v\n4,x,31/12/2025,1\n", old="id,part,a,v\n1,x,2025-01-01 12:00:00,1\n",
        before={"a, type: INT64": "a, type: TIMESTAMP, zone: UTC"},
    ),
    "Checks and tolerance": Kind(
        {"a < 30": "a < 50"}, "id,part,a,v\n3,x,31,1\n", "id, a", [("1", 10), ("2", 20), ("3", 31), ("4", 40)],
        "files are read by the new contract", early="id,part,a,v\n4,x,40,1\n",
        before={"a, type: INT64": "a, type: INT64, check: a < 30"},
    ),
    "The key, the version or the mode": Kind(
        {"[id, part]": "[id]"}, "id,part,a,v\n2,z,21,2\n", "id, part, a", [("1", "x", 10), ("2", "z", 21)],
        "the table's rows have key id STRING, part STRING",
    ),
    "The table": Kind(
        {"main.FEED": "main.moved"}, "id,part,a,v\n2,x,21,2\n", "id, a", [("1", 10), ("2", 21)],
        "its files were merged into main.the_table, but it now names main.moved", table="moved",
    ),
    "The feed's name": Kind(
        {"feed: FEED": "feed: renamed", "main.FEED": "main.renamed"}, "id,part,a,v\n2,x,21,2\n", "id, a",
        [("1", 10), ("2", 21)], "main.renamed will be created with the first file", table="renamed",
    ),
    "The pattern": Kind(
        {"*.csv": "**"}, "id,part,a,v\n2,x,21,2\n", "id, a", [("1", 10), ("2", 21), ("4", 40)],
        "main.the_pattern stays as it is", early="id,part,a,v\n4,x,40,1\n", before={"*.csv": "old*.csv"},
    ),
    "Deletes begin": Kind(
        {"version: v": "version: v\ndelete: {column: op, equals: D}"}, "id,part,a,v,op\n1,x,,2,D\n", "id, a",
        [("2", 20), ("4", 40)], "files are read by the new contract", early="id,part,a,v,op\n4,x,40,1,U\n",
    ),
    "Missing and unknown columns": Kind(
        {"version: v": "version: v\nunknown_columns: rescue"}, "id,part,a,v,z\n3,x,30,1,q\n", "id, a",
        [("1", 10), ("2", 20), ("3", 30), ("4", 40)], "gains the column _rescued JSON",
        early="id,part,a,v,z\n4,x,40,1,r\n",
    ),
    "History": Kind(
        {"version: v": "version: v\nhistory: true"}, "id,part,a,v\n1,x,11,2\n", "id, a", [("1", 11), ("2", 20)],
        "the contract says key id STRING, part STRING; version v INT64; every version kept (history)",
    ),
    "The clustering": Kind(
        {"version: v": "version: v\ncluster_by: [part, id]"}, "id,part,a,v\n1,x,11,2\n3,x,30,1\n", "id, a",
        [("1", 11), ("2", 20), ("3", 30)], "is clustered by part, id from then on",
    ),
    "The partitioning": Kind(
        {"version: v": "version: v\npartition_by: {column: part, by: month}"}, "id,part,a,v\n1,2025-01-31,11,2\n",
        "id, a", [("1", 11), ("2", 20)], "the contract partitions it by the month of part, and it is not partitioned",
        old="id,part,a,v\n1,2025-01-31,10,1\n2,2025-03-01,20,1\n",
        before={"part, type: STRING": "part, type: DATE"},
    ),
    "How much may be billed": Kind(
        {"20 MiB": "1 GiB"}, "id,part,a,v\n1,x,11,2\n", "id, a", [("1", 11), ("2", 20)],
        "main.how_much_may_be_billed stays as it is: the contract has not changed",
        before={"version: v": "version: v\nmax_bytes_billed: 20 MiB"},
    ),
    "A table that was there before": Kind(
        {}, "id,part,a,v\n2,x,21,2\n", "id, a", [("1", 10), ("2", 21)], "`dropmerge adopt a_table_that_was", old="",
    ),
}  # fmt: skip
"""By the page's heading."""


def _sections() -> dict[str, list[list[str]]]:
    """The commands below each heading of the page, as words; those above the first below an empty one."""
    parts = re.split(r"^## (.*)$", _PAGE, flags=re.MULTILINE)
    found = zip(["", *parts[1::2]], parts[::2], strict=True)
    return {
        title: [shlex.split(one) for one in re.findall(r"^    dropmerge (.*)$", text, re.M)] for title, text in found
    }


def _name(title: str) -> str:
    return re.sub(r"\W+", "_", title.lower())


def _contract(title: str, changes: Mapping[str, str]) -> str:
    text = _FEED
    for old, new in {**_KINDS[title].before, **changes}.items():
        assert old in text
        text = text.replace(old, new)
    return text.replace("FEED", _name(title))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Every kind of change at once, deployed by the steps at the top of the page."""
    folder = tmp_path_factory.mktemp("changing")
    feeds = folder / "feeds"
    feeds.mkdir()
    for title in _KINDS:
        (feeds / f"{_name(title)}.yaml").write_text(_contract(title, {}))
    with running(folder, feeds) as pipeline:
        for title, kind in _KINDS.items():
            if kind.old:
                pipeline.drop("old.csv", kind.old, feed=_name(title))
            else:
                columns = "'1' AS id, 'x' AS part, 10 AS a, 1 AS v"
                pipeline.connection.warehouse.create_dataset("main")
                pipeline.connection.warehouse.query(f"CREATE TABLE main.{_name(title)} AS SELECT {columns}")
            if kind.early:
                pipeline.drop("early.csv", kind.early, feed=_name(title))
        pipeline.wait_until_idle()
        for title, kind in _KINDS.items():
            (feeds / f"{_name(title)}.yaml").write_text(_contract(title, kind.after))
        pipeline.connect()
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


@pytest.fixture(scope="module")
def said(pipeline: Pipeline, commands: Commands) -> str:
    """What the check says, before the services are deployed anew."""
    check, restart, wait, _ = _sections()[""]
    done = commands.run(*check, code=1)
    commands.run(*restart)
    pipeline.connect()
    commands.run(*wait, "--timeout", 60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("title", [title for title in _KINDS if title != "A column comes back"])
def test_a_kind_of_change_goes_as_the_page_says(pipeline: Pipeline, commands: Commands, said: str, title: str) -> None:
    """What the check says, and the rows once the section's commands were typed."""
    kind, name = _KINDS[title], _name(title)
    assert kind.says in said
    pipeline.drop("new.csv", kind.new, feed=name)
    pipeline.wait_until_idle()
    assert f"another contract of {name}" not in commands.run(*_sections()[""][-1]).stdout
    _type(pipeline, commands, title)
    assert _rows(pipeline, title) == kind.rows


@pytest.mark.usefixtures("said")
def test_a_column_comes_back_as_the_page_says(pipeline: Pipeline, commands: Commands) -> None:
    """With the old values that are left, before the section's commands and after."""
    title, name = "A column comes back", _name("A column comes back")
    pipeline.drop("new.csv", _KINDS[title].new, feed=name)
    pipeline.wait_until_idle()
    path = pipeline.connection.feeds_folder / f"{name}.yaml"
    path.write_text(_contract(title, {}))
    check, restart, *_ = _sections()[""]
    assert f"main.{name} shows a again" in commands.run(*check, path).stdout
    commands.run(*restart)
    pipeline.connect()
    pipeline.drop("newer.csv", "id,part,a,v\n3,x,30,1\n", feed=name)
    pipeline.wait_until_idle()
    assert _rows(pipeline, title) == _KINDS[title].rows
    _type(pipeline, commands, title)
    assert _rows(pipeline, title) == _KINDS[title].rows


def test_the_tables_are_laid_out_by_their_contracts(pipeline: Pipeline) -> None:
    """One that is there follows `cluster_by`; one that is rebuilt has `partition_by` too, and both say which feed."""
    follows, rebuilt = (
        pipeline.connection.warehouse.find_table(f"local.main.{name}")
        for name in ("the_clustering", "the_partitioning")
    )
    assert follows
    assert rebuilt
    assert follows.clustering_fields == ["part", "id"]
    assert rebuilt.time_partitioning == TimePartitioning(type_="MONTH", field="part")
    assert rebuilt.clustering_fields == ["id", "part"]
    assert (follows.labels[FEED], rebuilt.labels[FEED]) == ("the_clustering", "the_partitioning")


def test_what_is_too_expensive_says_what_it_costs(pipeline: Pipeline) -> None:
    """The file whose MERGE the contract did not pay for was a dead letter; it is merged now that the contract does."""
    found = pipeline.connection.rows(
        "SELECT detail FROM `ops.journal` WHERE event = 'dead_lettered' AND feed = 'how_much_may_be_billed'"
    )
    (detail,) = [json.loads(one["detail"]) for one in found]
    assert detail["reason"] == "too_expensive"
    assert "BigQuery would bill 52428800 bytes (50.0 MiB) for the statement" in detail["error"]
    assert "allows 20971520 bytes (20.0 MiB)" in detail["error"]
    merged = pipeline.connection.rows(
        "SELECT detail FROM `ops.journal` WHERE event = 'merged' AND feed = 'how_much_may_be_billed'"
    )
    # Of five tables, or six where both files were in one MERGE: each has 10 MiB at least.
    assert {json.loads(one["detail"])["bytes_billed"] // 2**20 for one in merged} in ({50}, {60}, {50, 60})


def _type(pipeline: Pipeline, commands: Commands, title: str) -> None:
    """The commands of a section."""
    for words in _sections()[title]:
        is_asked = any(one in words for one in _ASKS) and "--dry-run" not in words
        commands.run(*(one.replace("FEED", _name(title)) for one in words), *(["--yes"] if is_asked else []))
        pipeline.wait_until_idle()


def _rows(pipeline: Pipeline, title: str) -> list[tuple[Any, ...]]:
    kind = _KINDS[title]
    rows = pipeline.connection.rows(f"SELECT {kind.shown} FROM main.{kind.table or _name(title)}_current ORDER BY id")
    return [tuple(row.values()) for row in rows]


def test_every_section_is_tested_and_listed() -> None:
    """No section has commands that no test runs; the table links to each of them."""
    sections = {title for title, words in _sections().items() if title}
    assert sections == _KINDS.keys()
    for title in sections:
        anchor = re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))
        assert f"(#{anchor})" in _PAGE
