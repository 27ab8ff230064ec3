"""How many rows of a contestant's table differ from the expected answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.cloud.bigquery import Client, LoadJobConfig, SchemaField

from tests.harness.pipeline import Pipeline
from tests.programs.bench.drops import upload
from tests.programs.bench.figures import Wrong

EXPECTED = "local.main.expected"
_TYPES = ("STRING", "STRING", "INT64", "NUMERIC", "TIMESTAMP")
_COLUMNS = ("customer_id", "account_number", "credit_score", "account_balance", "last_modified")
_SQL = Path(__file__).with_suffix(".sql")
_IN_DUCKDB = """(SELECT * FROM read_csv('{path}', header = true, columns = {{
  'customer_id': 'VARCHAR', 'account_number': 'VARCHAR', 'credit_score': 'BIGINT',
  'account_balance': 'DECIMAL(38, 9)', 'last_modified': 'TIMESTAMPTZ'
}}))"""


def load_expected(pipeline: Pipeline, path: Path) -> None:
    """The generator's answer as a table of the local warehouse."""
    blob = upload(pipeline, "archive", "bench/expected.csv", path)
    client: Client = pipeline.connection.warehouse.client
    config = LoadJobConfig(
        schema=[SchemaField(name, kind) for name, kind in zip(_COLUMNS, _TYPES, strict=True)],
        source_format="CSV",
        skip_leading_rows=1,
        write_disposition="WRITE_TRUNCATE",
    )
    client.load_table_from_uri(f"gs://archive/{blob.name}", EXPECTED, job_config=config).result()


def in_duckdb(path: Path) -> str:
    """The expected answer's file, as DuckDB reads it."""
    return _IN_DUCKDB.format(path=path)


def statement(found: str, expected: str = EXPECTED) -> str:
    return _SQL.read_text().format(found=found, expected=expected)


def as_wrong(what: str, who: str, row: Mapping[str, Any]) -> Wrong:
    counts = {name: int(row[name]) for name in ("stale", "money", "other", "lost", "added")}
    return Wrong(what, who, int(row["expected_rows"]), **counts)
