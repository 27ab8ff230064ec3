"""Cases from the field about contracts that change: the table follows, or the change is refused with the way on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline
from tests.harness.subscription import paused_subscription, pull_all, wait_until

_FEED = """
feed: {feed}
objects: incoming/{feed}/*
format: {{type: csv}}
table: main.{feed}
key: [id]
version: v
columns:
  - {{name: id, type: STRING}}
  - {{name: a, type: INT64}}
  - {{name: v, type: INT64}}
"""
_B = "  - {name: b, type: STRING}\n"
_FEEDS = ("staged", "first", "reload", "rounds", "keyed", "existing")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("changed")
    (folder / "feeds").mkdir()
    for feed in _FEEDS:
        text = _FEED.format(feed=feed)
        (folder / "feeds" / f"{feed}.yaml").write_text(text if feed != "keyed" else _keyed("id, region"))
    with running(folder, folder / "feeds") as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


def _keyed(key: str) -> str:
    text = _FEED.format(feed="keyed").replace("key: [id]", f"key: [{key}]")
    return text.replace("{name: a", "{name: region, type: STRING}\n  - {name: a")


def _write(pipeline: Pipeline, feed: str, old: str = "", new: str = "") -> None:
    """The contract with a change; without one, with a column b."""
    path = pipeline.connection.feeds_folder / f"{feed}.yaml"
    text = path.read_text()
    path.write_text(text.replace(old, new) if old else text + _B)


def _rows(pipeline: Pipeline, feed: str, columns: str) -> list[tuple[Any, ...]]:
    rows = pipeline.connection.rows(f"SELECT {columns} FROM main.{feed}_current ORDER BY {columns}")
    return [tuple(row.values()) for row in rows]


def _events(pipeline: Pipeline, uri: str) -> list[str]:
    return [one["event"] for one in pipeline.explain(uri)["events"]]


def _merge(pipeline: Pipeline, feed: str, name: str, data: str) -> str:
    uri = pipeline.drop(name, data, feed=feed)
    pipeline.wait_until_idle()
    return uri


def test_g9_a_file_staged_under_the_old_contract_is_merged_under_the_new(pipeline: Pipeline) -> None:
    """staged-under-old-contract: it is read anew; its column that is not there is NULL."""
    _merge(pipeline, "staged", "a.csv", "id,a,v\n1,10,1\n2,20,1\n")
    with paused_subscription(pipeline, "merge") as path:
        uri = pipeline.drop("b.csv", "id,a,v\n2,21,2\n3,30,2\n", feed="staged")
        (message,) = pull_all(pipeline, path, 1)
    _write(pipeline, "staged")
    pipeline.deploy("ingest", "merge")
    pipeline.publish("file-staged", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    assert pipeline.explain(uri)["state"] == "merged"
    assert _rows(pipeline, "staged", "id, a, b") == [("1", 10, None), ("2", 21, None), ("3", 30, None)]


def test_g9_a_file_that_ingest_reads_by_a_newer_contract_waits_for_merge(pipeline: Pipeline) -> None:
    """ingest-deployed-first: no value is lost, whichever service is deployed first."""
    _merge(pipeline, "first", "a.csv", "id,a,v\n2,20,1\n")
    _write(pipeline, "first")
    pipeline.deploy("ingest")
    uri = pipeline.drop("b.csv", "id,a,b,v\n2,25,important,2\n", feed="first")
    wait_until(lambda: "sent_back" in _events(pipeline, uri), "seen by merge")
    assert _rows(pipeline, "first", "id, a") == [("2", 20)]
    pipeline.deploy("merge")
    pipeline.wait_until_idle()
    assert pipeline.explain(uri)["state"] == "merged"
    assert _rows(pipeline, "first", "id, a, b") == [("2", 25, "important")]


def test_g1_g9_the_archive_has_files_of_both_contracts(pipeline: Pipeline, commands: Commands) -> None:
    """reload-after-new-column: a table that was dropped is made again from all of them."""
    _merge(pipeline, "reload", "a.csv", "id,a,v\n1,10,1\n2,20,1\n")
    _merge(pipeline, "reload", "b.csv", "id,a,v\n2,21,2\n3,30,2\n")
    _write(pipeline, "reload")
    pipeline.deploy("ingest", "merge")
    _merge(pipeline, "reload", "c.csv", "id,a,b,v\n4,40,x,3\n")
    whole = [("1", 10, None), ("2", 21, None), ("3", 30, None), ("4", 40, "x")]
    assert _rows(pipeline, "reload", "id, a, b") == whole
    pipeline.connection.warehouse.drop_table("local.main.reload")
    commands.run("wait", "--timeout", 8)  # what was merged in it waits for a backfill, not for a message
    assert len(commands.json("backfill", "gs://archive/reload/", "--yes")) == 3
    pipeline.wait_until_idle()
    assert _rows(pipeline, "reload", "id, a, b") == whole


def test_g9_a_type_is_widened_or_the_change_is_refused(pipeline: Pipeline) -> None:
    """int-column-rounds-locally: no value is rounded, and nothing is merged under a type that cannot follow."""
    _merge(pipeline, "rounds", "a.csv", "id,a,v\n1,10,1\n2,20,1\n")
    _write(pipeline, "rounds", "a, type: INT64", "a, type: NUMERIC")
    pipeline.deploy("ingest", "merge")
    _merge(pipeline, "rounds", "c.csv", "id,a,v\n2,2.5,3\n4,3.5,3\n")
    whole = [("1", 10.0), ("2", 2.5), ("4", 3.5)]
    assert _rows(pipeline, "rounds", "id, CAST(a AS FLOAT64)") == whole
    _write(pipeline, "rounds", "a, type: NUMERIC", "a, type: STRING")
    pipeline.deploy("ingest", "merge")
    letter = pipeline.dead_letter(_merge(pipeline, "rounds", "d.csv", "id,a,v\n5,x,4\n"))
    assert (letter.service, letter.reason) == ("merge", "contract_changed")
    assert "a is STRING, and NUMERIC in the table" in str(letter.error)
    assert "dropmerge rebuild rounds" in str(letter.error)
    assert _rows(pipeline, "rounds", "id, CAST(a AS FLOAT64)") == whole


def test_g9_a_key_that_changed_is_refused(pipeline: Pipeline) -> None:
    """key-narrowed: two rows are not made one, and no row is there twice."""
    _merge(pipeline, "keyed", "a.csv", "id,region,a,v\n1,EU,10,1\n1,US,11,1\n2,EU,20,1\n")
    (pipeline.connection.feeds_folder / "keyed.yaml").write_text(_keyed("id"))
    pipeline.deploy("ingest", "merge")
    letter = pipeline.dead_letter(_merge(pipeline, "keyed", "c.csv", "id,region,a,v\n1,EU,99,5\n"))
    assert letter.reason == "contract_changed"
    assert "the table's rows have key id STRING, region STRING" in str(letter.error)
    assert "dropmerge rebuild keyed" in str(letter.error)
    assert _rows(pipeline, "keyed", "id, region, a") == [("1", "EU", 10), ("1", "US", 11), ("2", "EU", 20)]


def test_a_table_that_was_there_before_is_adopted(pipeline: Pipeline, commands: Commands) -> None:
    """existing-table: merge says who made it and what to do, and goes on after it."""
    pipeline.connection.warehouse.query("CREATE TABLE main.existing AS SELECT 'old' AS id, 7 AS a, 1 AS v")
    letter = pipeline.dead_letter(_merge(pipeline, "existing", "a.csv", "id,a,v\nnew,1,2\n"))
    assert letter.reason == "table_not_adopted"
    assert "made by hand or by another loader" in str(letter.error)
    commands.run("adopt", "existing", "--yes")
    commands.run("dead-letters", "replay", "--id", letter.id, "--yes")
    pipeline.wait_until_idle()
    assert _rows(pipeline, "existing", "id, a") == [("new", 1), ("old", 7)]
