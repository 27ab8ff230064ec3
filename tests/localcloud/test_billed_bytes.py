"""The local warehouse refuses a query over its bound as BigQuery does, and keeps how a statement lays a table out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.bigquery import Client, TimePartitioning

from services.shared.errors import PermanentError
from services.shared.warehouse import Warehouse
from tests.harness.warehouse import local_warehouse

_MIB = 2**20


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("billed")
    with local_warehouse(folder) as client:
        warehouse = Warehouse(client, 60.0)
        warehouse.query("CREATE TABLE d.small AS SELECT 1 AS n")
        # 12 bytes a row: two and eight for a text, two for an empty one.
        rows = "UNNEST(GENERATE_ARRAY(1, 1000000)) AS n"
        warehouse.query(
            f"CREATE TABLE d.large AS SELECT '12345678' AS a, '' AS b, CAST(NULL AS INT64) AS c FROM {rows}"
        )
        yield client


@pytest.mark.parametrize(
    ("sql", "billed"),
    [
        ("CREATE OR REPLACE TABLE d.made AS SELECT * FROM d.small", 10 * _MIB),
        ("CREATE OR REPLACE TABLE d.made AS SELECT * FROM `local.d.large`", 12_000_000),
        (
            "CREATE OR REPLACE TABLE d.made AS SELECT n FROM d.small JOIN d.large ON TRUE LIMIT 1",
            10 * _MIB + 12_000_000,
        ),
    ],
)
def test_a_statement_over_its_bound_is_not_run(client: Client, sql: str, billed: int) -> None:
    """One byte decides; what was refused may run under a higher bound, and says what it cost."""
    warehouse, name = Warehouse(client, 60.0), f"bound-{abs(hash(sql))}"
    warehouse.drop_table("local.d.made")
    with pytest.raises(PermanentError, match=f"BigQuery would bill {billed} bytes") as raised:
        warehouse.create_table_once(name, "local.d.made", sql, max_bytes_billed=billed - 1)
    assert raised.value.reason == "too_expensive"
    assert not warehouse.table_exists("local.d.made")
    assert warehouse.create_table_once(name, "local.d.made", sql, max_bytes_billed=billed).bytes_billed == billed
    assert warehouse.table_exists("local.d.made")


def test_a_script_is_billed_as_a_whole(client: Client) -> None:
    """Each of its tables once; nothing of one that is refused has happened."""
    warehouse = Warehouse(client, 60.0)
    warehouse.query("CREATE OR REPLACE TABLE d.target AS SELECT 1 AS n")
    script = "BEGIN TRANSACTION; INSERT INTO d.target SELECT n FROM d.small; COMMIT TRANSACTION;"
    with pytest.raises(PermanentError, match="BigQuery would bill 20971520 bytes"):
        warehouse.run_script(script, "script", 20 * _MIB - 1)
    (before,) = warehouse.query("SELECT COUNT(*) AS n FROM d.target")
    assert warehouse.run_script(script, "script", 20 * _MIB).cost.bytes_billed == 20 * _MIB
    assert before["n"] == 1


@pytest.mark.parametrize(
    ("column", "expression", "unit"),
    [("d", "`d`", "DAY"), ("d", "DATE_TRUNC(`d`, MONTH)", "MONTH"), ("t", "TIMESTAMP_TRUNC(`t`, HOUR)", "HOUR")],
)
def test_a_statement_s_partitioning_is_kept(client: Client, column: str, expression: str, unit: str) -> None:
    """As BigQuery describes the table that it makes."""
    Warehouse(client, 60.0).query(
        f"CREATE OR REPLACE TABLE d.parted (d DATE, t TIMESTAMP) PARTITION BY {expression} CLUSTER BY d AS "
        "SELECT DATE '2025-01-01' AS d, CURRENT_TIMESTAMP() AS t"
    )
    found = client.get_table("d.parted")
    assert found.time_partitioning == TimePartitioning(type_=unit, field=column)
    assert found.clustering_fields == ["d"]
