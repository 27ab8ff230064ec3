"""A warehouse of an older version, killed between a table and its row in the catalog, starts with neither."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import duckdb
import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from localcloud.cloud import LocalCloud
from tests.harness.subscription import wait_until


def test_tables_torn_by_a_kill_can_be_made_and_dropped_again(tmp_path: Path) -> None:
    """What was whole is taken over: its row becomes the table's comment."""
    cloud = LocalCloud(tmp_path / "state", environ={})
    cloud.up(0)
    try:
        client = _client(cloud)
        for name in ("whole", "without_entry", "without_table"):
            client.query_and_wait(f"CREATE TABLE staging.{name} AS SELECT 1 AS a")
        client.query_and_wait("CREATE VIEW staging.view_without_entry AS SELECT 1 AS a")
        os.kill(int(cloud.read()["DROPMERGE_WAREHOUSE_PID"]), signal.SIGKILL)
        wait_until(lambda: "warehouse" in cloud.dead(), "killed")
        _tear(cloud)
        cloud.up()
        client = _client(cloud)
        assert [row.a for row in client.query_and_wait("SELECT a FROM staging.whole")] == [1]
        with pytest.raises(NotFound):
            client.get_table("staging.without_table")
        for name in ("without_entry", "without_table"):
            client.create_table(bigquery.Table(f"local.staging.{name}", [bigquery.SchemaField("b", "INT64")]))
            assert [field.name for field in client.get_table(f"staging.{name}").schema] == ["b"]
        client.query_and_wait("CREATE VIEW staging.view_without_entry AS SELECT 2 AS a")
    finally:
        cloud.down()


def _tear(cloud: LocalCloud) -> None:
    (path,) = (cloud.state / "warehouse").glob("*.duckdb")
    databases: list[duckdb.DuckDBPyConnection] = []

    def opens() -> bool:
        with contextlib.suppress(duckdb.IOException):  # its threads may take a moment to let go of the file
            databases.append(duckdb.connect(str(path)))
        return bool(databases)

    wait_until(opens, "free")
    with databases[0] as database:
        database.execute("COMMENT ON TABLE local__staging.without_entry IS NULL")
        database.execute("COMMENT ON VIEW local__staging.view_without_entry IS NULL")
        database.execute(
            "CREATE OR REPLACE TABLE _bqemulator_catalog.tables (project_id VARCHAR, dataset_id VARCHAR,"
            " table_id VARCHAR, metadata_json JSON)"
        )
        for name in ("whole", "without_table"):
            database.execute(
                "INSERT INTO _bqemulator_catalog.tables SELECT 'local', 'staging', table_name, comment"
                " FROM duckdb_tables() WHERE table_name = ?",
                [name],
            )
            database.execute(f"COMMENT ON TABLE local__staging.{name} IS NULL")
        database.execute("DROP TABLE local__staging.without_table")


def _client(cloud: LocalCloud) -> bigquery.Client:
    return bigquery.Client(
        project="local",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options=ClientOptions(api_endpoint=cloud.read()["DROPMERGE_WAREHOUSE_URL"]),
    )
