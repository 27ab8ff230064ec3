"""What a statement makes of a table is what its description says afterwards, as at BigQuery."""

from collections.abc import Iterator

import pytest
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from tests.harness.warehouse import local_warehouse


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    with local_warehouse(tmp_path_factory.mktemp("ddl")) as client:
        yield client


def described(client: bigquery.Client, name: str) -> list[tuple[str, str, str]]:
    standard = {"INTEGER": "INT64"}
    fields = client.get_table(f"local.d.{name}").schema
    return [(one.name, standard.get(one.field_type, one.field_type), one.mode) for one in fields]


def rows(client: bigquery.Client, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in client.query(sql).result()]


def test_an_altered_column_is_described_and_keeps_its_values(client: bigquery.Client) -> None:
    """A wider type has all its decimals; JSON beside it stays JSON; what was REQUIRED and is relaxed is NULLABLE."""
    schema = [SchemaField("k", "STRING", "REQUIRED"), SchemaField("n", "INT64", "REQUIRED"), SchemaField("j", "JSON")]
    client.create_table(bigquery.Table("local.d.altered", schema))
    created = client.get_table("local.d.altered").created
    rows(client, "INSERT INTO `local.d.altered` (k, n) VALUES ('a', 7)")
    rows(client, "ALTER TABLE `local.d.altered` ALTER COLUMN `n` SET DATA TYPE NUMERIC")
    rows(client, "ALTER TABLE `local.d.altered` ALTER COLUMN `n` DROP NOT NULL")
    rows(client, "INSERT INTO `local.d.altered` (k, n) VALUES ('b', 0.123456789)")
    assert described(client, "altered") == [
        ("k", "STRING", "REQUIRED"),
        ("n", "NUMERIC", "NULLABLE"),
        ("j", "JSON", "NULLABLE"),
    ]
    assert [str(row[0]) for row in rows(client, "SELECT n FROM `local.d.altered` ORDER BY k")] == [
        "7.000000000",
        "0.123456789",
    ]
    assert client.get_table("local.d.altered").created == created


def test_a_column_added_to_the_schema_is_in_the_table(client: bigquery.Client) -> None:
    """NULL in the rows that are there."""
    client.create_table(bigquery.Table("local.d.added", [SchemaField("k", "STRING")]))
    rows(client, "INSERT INTO `local.d.added` (k) VALUES ('a')")
    table = client.get_table("local.d.added")
    table.schema = [*table.schema, SchemaField("n", "NUMERIC")]
    table.labels = {"x": "y"}
    client.update_table(table, ["schema", "labels"])
    rows(client, "INSERT INTO `local.d.added` (k, n) VALUES ('b', 1.5)")
    assert rows(client, "SELECT k, n IS NULL FROM `local.d.added` ORDER BY k") == [("a", True), ("b", False)]
    assert (client.get_table("local.d.added").labels, described(client, "added")[1][1]) == ({"x": "y"}, "NUMERIC")


def test_a_table_made_by_a_statement_is_as_declared(client: bigquery.Client) -> None:
    """Clustering, labels and NOT NULL; and made anew it is another table."""
    client.create_table(bigquery.Table("local.d.made", [SchemaField("k", "STRING")]))
    before = client.get_table("local.d.made").created
    rows(
        client,
        "CREATE OR REPLACE TABLE `local.d.made` (k STRING NOT NULL, n NUMERIC) CLUSTER BY k "
        "OPTIONS (labels = [('one', 'a'), ('two', 'b')]) AS SELECT 'a' AS k, NUMERIC '1.5' AS n",
    )
    table = client.get_table("local.d.made")
    assert described(client, "made") == [("k", "STRING", "REQUIRED"), ("n", "NUMERIC", "NULLABLE")]
    assert (table.clustering_fields, table.labels) == (["k"], {"one": "a", "two": "b"})
    assert table.created > before
