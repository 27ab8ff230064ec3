"""What a statement makes of a table is what its description says afterwards, as at BigQuery."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from google.api_core import exceptions
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


def test_a_renamed_table_keeps_rows_columns_and_labels(client: bigquery.Client) -> None:
    """Its old name is free, and a name that is taken is refused."""
    made = (
        "CREATE OR REPLACE TABLE `local.d.old` OPTIONS (labels = [('one', 'a')]) AS "
        "SELECT 'a' AS k, NUMERIC '1.5' AS n"
    )
    rows(client, made)
    rows(client, "ALTER TABLE `local.d.old` RENAME TO `new`")
    assert rows(client, "SELECT k FROM `local.d.new`") == [("a",)]
    assert described(client, "new") == [("k", "STRING", "NULLABLE"), ("n", "NUMERIC", "NULLABLE")]
    assert client.get_table("local.d.new").labels == {"one": "a"}
    names = [one.table_id for one in client.list_tables("d")]
    assert ("old" in names, "new" in names) == (False, True)
    rows(client, made)
    with pytest.raises(exceptions.ClientError):
        client.query_and_wait("ALTER TABLE `local.d.old` RENAME TO `new`")
    assert rows(client, "SELECT k FROM `local.d.old`") == [("a",)]


def test_a_job_s_id_is_taken_for_ever(client: bigquery.Client) -> None:
    """Whether the job that has it was done or failed."""
    for sql in ("SELECT 1", "SELECT 1 FROM `local.d.nowhere`"):
        name = f"taken-{len(sql)}"
        with suppress(exceptions.GoogleAPICallError):
            client.query(sql, job_id=name, job_retry=None).result()
        with pytest.raises(exceptions.Conflict, match="Already Exists: Job"):
            client.query(sql, job_id=name, job_retry=None)
        assert client.get_job(name).done()


def test_a_statement_that_fails_within_its_call_is_an_error_of_the_call(client: bigquery.Client) -> None:
    """The words are those of the job that fails."""
    with pytest.raises(exceptions.NotFound) as missing:
        client.query_and_wait("SELECT 1 FROM `local.d.nowhere`")
    assert missing.value.errors[0]["reason"] == "notFound"
    with pytest.raises(exceptions.BadRequest) as refused:
        client.query_and_wait("SELECT nothing")
    assert refused.value.errors[0]["reason"] == "invalidQuery"


def test_a_view_says_its_query_as_it_was_written(client: bigquery.Client) -> None:
    query = "SELECT  1 AS n -- as written\nWHERE TRUE"
    rows(client, f"CREATE OR REPLACE VIEW `local.d.seen` AS\n{query}\n")
    assert client.get_table("local.d.seen").view_query == query
    assert rows(client, "SELECT n FROM `local.d.seen`") == [(1,)]
