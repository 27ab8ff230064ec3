"""What the local warehouse says of its tables and jobs is the same after it was killed and started again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery
from google.cloud.bigquery import Client, SchemaField
from requests.exceptions import ConnectionError as Disconnected

from tests.harness.warehouse import local_warehouse

_DIES = """
import os, runpy, signal
from bqemulator.storage.engine import DuckDBEngine

run = DuckDBEngine.execute

def execute(self, sql, parameters=None):
    if "dies_at_once" in sql:
        os.kill(os.getpid(), signal.SIGKILL)
    return run(self, sql, parameters)

DuckDBEngine.execute = execute
runpy.run_module("localcloud.warehouse", run_name="__main__")
"""

_NEVER: Any = None

_STATEMENTS = (
    "CREATE TABLE d.made PARTITION BY DATE(at) CLUSTER BY k OPTIONS (labels=[('a', 'it\\'s')])"
    " AS SELECT 'a' AS k, TIMESTAMP '2024-01-01' AS at, NUMERIC '1.5' AS n UNION ALL SELECT 'b', NULL, NULL",
    "CREATE TABLE d.declared (k STRING NOT NULL, b BYTES, l ARRAY<INT64>) OPTIONS (description='x')",
    "CREATE TABLE d.before AS SELECT 1 AS n, 2 AS m",
    "ALTER TABLE d.before RENAME TO after",
    "ALTER TABLE d.after ADD COLUMN j JSON",
    "ALTER TABLE d.after RENAME COLUMN m TO o",
    "CREATE TABLE d.replaced AS SELECT 1 AS n",
    "CREATE OR REPLACE TABLE d.replaced (t STRING)",
    "CREATE TABLE d.dropped AS SELECT 1 AS n",
    "DROP TABLE d.dropped",
    "CREATE TABLE d.dropped AS SELECT 'again' AS s",
    "CREATE TABLE d.gone AS SELECT 1 AS n",
    "DROP TABLE d.gone",
    "CREATE VIEW `d.view` AS SELECT k FROM `d.made`",
    "CREATE MATERIALIZED VIEW d.materialized AS SELECT k FROM d.made",
    "CREATE TABLE d.cloned CLONE d.made",
    "CREATE SNAPSHOT TABLE d.snapshot CLONE d.made",
    "BEGIN TRANSACTION; INSERT INTO d.replaced VALUES ('a'); DELETE FROM d.made WHERE k = 'c'; COMMIT TRANSACTION;",
)


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "stopped"])
def test_after_a_restart(tmp_path: Path, is_killed: bool) -> None:
    """By statements, by calls and by load jobs; renamed, replaced, dropped and made again."""
    program = tmp_path / "dies.py"
    program.write_text(_DIES)
    bucket = tmp_path / "bucket" / "b"
    bucket.mkdir(parents=True)
    with local_warehouse(tmp_path, (str(program),)) as client:
        for number, sql in enumerate(_STATEMENTS):
            client.query(sql, job_id=f"statement-{number}", job_retry=None).result()
        _call(client, bucket)
        before = _said(client)
        assert [(one["tableReference"]["tableId"], one["numRows"]) for one in before] == [
            *[("after", "1"), ("called", "0"), ("called_view", "0"), ("cloned", "2"), ("declared", "0")],
            *[("dropped", "1"), ("loaded", "3"), ("made", "2"), ("materialized", "2"), ("replaced", "0")],
            *[("snapshot", "2"), ("view", "0")],
        ]
        if is_killed:
            with pytest.raises(Disconnected):
                client.query("SELECT 1 AS dies_at_once", retry=_NEVER, job_retry=None)
    with local_warehouse(tmp_path) as client:
        after = _said(client)
        # Of rows that a statement inserts into a table that is there, DuckDB knows when the process starts.
        (replaced,) = [one for one in after if one["tableReference"]["tableId"] == "replaced"]
        assert replaced["numRows"] == "1"
        assert after == [one if one["tableReference"]["tableId"] != "replaced" else replaced for one in before]
        assert {client.get_job(f"statement-{number}").state for number in range(len(_STATEMENTS))} == {"DONE"}
        assert [row.k for row in client.query("SELECT k FROM d.view ORDER BY k").result()] == ["a", "b"]
        client.query("CREATE TABLE d.gone AS SELECT 2 AS n").result()
        client.query("ALTER TABLE d.after RENAME TO before").result()
        client.delete_table("d.loaded")
    assert "half created" not in (tmp_path / "warehouse.log").read_text()


def _call(client: Client, bucket: Path) -> None:
    table = bigquery.Table("local.d.called", [SchemaField("k", "STRING", "REQUIRED", description='a "key"; it\'s')])
    table.labels, table.description, table.clustering_fields = {"a": "b"}, "made by a call\n--", ["k"]
    made = client.create_table(table)
    made.schema, made.labels = [*made.schema, SchemaField("n", "NUMERIC")], {"a": "c", "d": "é"}
    client.update_table(made, ["schema", "labels"])
    view = bigquery.Table("local.d.called_view")
    view.view_query = "SELECT k FROM `d.called` WHERE k != ';'"
    client.create_table(view)
    (bucket / "rows.csv").write_text("1\n2\n3\n")
    config = bigquery.LoadJobConfig(schema=[SchemaField("n", "INT64")], source_format="CSV")
    client.load_table_from_uri("gs://b/rows.csv", "local.d.loaded", job_config=config).result()


def _said(client: Client) -> list[dict[str, Any]]:
    tables = [client.get_table(one.reference) for one in client.list_tables("d")]
    return sorted((one.to_api_repr() for one in tables), key=lambda one: str(one["tableReference"]["tableId"]))
