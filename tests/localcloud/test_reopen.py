"""After an internal error of DuckDB the local warehouse goes on, with all that was committed."""

from __future__ import annotations

from pathlib import Path

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.bigquery import Client

from tests.harness.warehouse import local_warehouse

_FAILS = """
import runpy, sys
import duckdb
from bqemulator.storage.engine import DuckDBEngine

run = DuckDBEngine.execute
failed = set()

def execute(self, sql, parameters=None):
    for word in ("fails_once", "fails_while_it_writes"):
        if word in sql and word not in failed:
            failed.add(word)
            self.connection.close()  # as good as a database that refuses every statement
            raise duckdb.FatalException("an internal error")
    return run(self, sql, parameters)

DuckDBEngine.execute = execute
runpy.run_module("localcloud.warehouse", run_name="__main__")
"""


def _numbers(client: Client, column: str = "n") -> list[int]:
    return [row[0] for row in client.query(f"SELECT n AS {column} FROM d.numbers ORDER BY n").result()]


def test_the_database_is_opened_again(tmp_path: Path) -> None:
    """What only reads is answered; what writes is an error, for its sender may not want it twice."""
    program = tmp_path / "fails.py"
    program.write_text(_FAILS)
    with local_warehouse(tmp_path, (str(program),)) as client:
        client.query("CREATE TABLE d.numbers AS SELECT 1 AS n").result()
        assert _numbers(client, "fails_once") == [1]
        try:
            client.query("INSERT INTO d.numbers SELECT 2 AS fails_while_it_writes").result(retry=None, job_retry=None)
        except GoogleAPICallError as error:
            assert "internal error" in str(error)
        else:
            raise AssertionError("it was written, or said so")
        assert _numbers(client) == [1]
        client.query("INSERT INTO d.numbers VALUES (3)").result()
        assert _numbers(client) == [1, 3]
    assert "fails_while_it_writes" in (tmp_path / "warehouse" / "failed_statement.sql").read_text()
    assert "fails_while_it_writes" not in (tmp_path / "warehouse.log").read_text()
