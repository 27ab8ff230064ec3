"""The local warehouse has one thread for small statements and all of them for large ones."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
import sqlglot
from bqemulator.catalog.memory_repository import MemoryCatalogRepository
from google.cloud import bigquery

from localcloud.warehouse import patches, threads
from tests.harness.catalog import entry
from tests.harness.warehouse import local_warehouse

_NOTES = """
import runpy
from localcloud.warehouse import threads

use_all = threads.use_all

def noted(engine, has_enough):
    print("all" if has_enough else "one", flush=True)
    use_all(engine, has_enough)

threads.use_all = noted
runpy.run_module("localcloud.warehouse", run_name="__main__")
"""
_LARGE = 123_000


def test_statements_and_loads_have_threads_by_what_they_read(tmp_path: Path) -> None:
    """Of a script each statement by itself; a table that a statement has written to may be large."""
    program = tmp_path / "notes.py"
    program.write_text(_NOTES)
    bucket = tmp_path / "bucket" / "b"
    bucket.mkdir(parents=True)
    (bucket / "small.csv").write_text("1\n")
    with (bucket / "large.csv").open("w") as file:
        file.writelines(f"{'1'.zfill(1000)}\n" for _ in range(33 * 1024 + 600))
    with local_warehouse(tmp_path, (str(program),)) as client:
        client.query_and_wait(f"CREATE TABLE d.large AS SELECT n FROM UNNEST(GENERATE_ARRAY(1, {_LARGE})) AS n")
        client.query_and_wait("CREATE TABLE d.small AS SELECT 1 AS n")
        client.query_and_wait("SELECT COUNT(*) FROM d.large")
        client.query_and_wait("SELECT s.n FROM d.small AS s JOIN d.large AS l ON s.n = l.n")
        client.query_and_wait("BEGIN TRANSACTION; SELECT 1; SELECT COUNT(*) FROM d.large; COMMIT TRANSACTION;")
        client.query_and_wait("INSERT INTO d.small SELECT n FROM d.large")
        ((rows,),) = client.query_and_wait("SELECT COUNT(*) FROM d.small")
        for name in ("small", "large"):
            config = bigquery.LoadJobConfig(
                source_format="CSV",
                schema=[bigquery.SchemaField("n", "STRING")],
                write_disposition="WRITE_TRUNCATE",
            )
            client.load_table_from_uri(f"gs://b/{name}.csv", "d.loaded", job_config=config).result()
    assert rows == _LARGE + 1
    noted = [line for line in (tmp_path / "warehouse.log").read_text().splitlines() if line in ("one", "all")]
    assert noted == [
        *("one", "one", "all", "all"),
        *("one", "all"),
        *("all", "all"),
        *("one", "all"),
    ]


@pytest.mark.parametrize(
    ("sql", "has_enough"),
    [
        ("SELECT * FROM d.one", False),
        ("CREATE OR REPLACE TABLE d.new AS SELECT * FROM `local.d.one`", False),
        ("SELECT * FROM d.group_of_rows", False),
        ("SELECT * FROM d.group_of_rows UNION ALL SELECT * FROM d.one", True),
        ("SELECT * FROM (SELECT * FROM `local`.`d`.`large`)", True),
        ("SELECT * FROM d.view", True),
        ("SELECT * FROM d.INFORMATION_SCHEMA.TABLES", True),
        ("SELECT * FROM `d.on*` WHERE _TABLE_SUFFIX = 'e'", True),
        ("DELETE FROM d.one WHERE TRUE", True),
        ("SELECT 'not closed", True),
        ("", True),
    ],
)
def test_what_may_read_much_is_taken_for_much(sql: str, has_enough: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_written", set())
    monkeypatch.setitem(patches._original, "parse_one", sqlglot.parse_one)
    catalog = MemoryCatalogRepository()
    for name, rows in (("one", 1), ("group_of_rows", threads.ROWS), ("large", threads.ROWS + 1)):
        catalog._tables["local", "d", name] = entry(name, rows)
    catalog._tables["local", "d", "view"] = entry("view", table_type="VIEW")
    assert threads._has_enough(sql, "local", catalog) is has_enough


def test_a_database_that_is_opened_again_has_all_threads_at_first() -> None:
    """As DuckDB has; from then on it is told."""
    for _ in range(2):
        with duckdb.connect(config={"threads": 3}) as connection:
            counts = []
            for has_enough in (False, False, True, True, False):
                threads.use_all(SimpleNamespace(connection=connection), has_enough)
                counts.append(connection.execute("SELECT current_setting('threads')").fetchone())
            assert counts == [(1,), (1,), (3,), (3,), (1,)]
