"""Databases of older versions, where bqemulator 1.4.0 kept a table's entry in a row, written by itself.

The rows become comments, as `entries` has them, and their table loses its columns: an older version, which would take
all tables for torn, ends at its start. A kill may have torn a table from its row: a table without an entry
cannot be created again, an entry without a table cannot be read. Both are dropped: the call that was to create or to
drop the table was never answered.
"""

from __future__ import annotations

from bqemulator.storage.engine import CATALOG_SCHEMA, DuckDBEngine
from bqemulator.storage.sql_identifiers import schema_name

from localcloud.warehouse.entries import write_comment
from localcloud.warehouse.transactions import transaction

_DATASETS = f'"{CATALOG_SCHEMA}"."datasets"'
_ROWS = f'"{CATALOG_SCHEMA}"."tables"'


def repair(engine: DuckDBEngine) -> list[tuple[str, str]]:
    """Takes over rows and drops what is torn, before the catalog is read; returns the schema and name of the torn."""
    datasets = engine.execute(f"SELECT project_id, dataset_id FROM {_DATASETS}").fetchall()  # noqa: S608
    schemas = {schema_name(*dataset) for dataset in datasets}
    found = engine.execute(
        "SELECT schema_name, table_name, 'TABLE', comment IS NOT NULL FROM duckdb_tables()"
        " UNION ALL SELECT schema_name, view_name, 'VIEW', comment IS NOT NULL FROM duckdb_views()"
    ).fetchall()
    kinds = {(schema, name): kind for schema, name, kind, _ in found if schema in schemas}
    with_entry = {(schema, name) for schema, name, _, has_entry in found if has_entry}
    rows = _rows(engine)
    by_row = {(schema_name(project, dataset), name): entry for project, dataset, name, entry in rows}
    without_entry = kinds.keys() - with_entry - by_row.keys()
    with transaction(engine):
        for (schema, name), entry in by_row.items():
            if (schema, name) in kinds:
                write_comment(engine, f'"{schema}"."{name}"', kinds[schema, name], entry)
        for schema, name in without_entry:
            engine.execute(f'DROP {kinds[schema, name]} "{schema}"."{name}"')
        # Whoever deletes a dataset deletes rows by these two.
        engine.execute(f"CREATE OR REPLACE TABLE {_ROWS} (project_id VARCHAR, dataset_id VARCHAR)")
    return sorted(without_entry | (by_row.keys() - kinds.keys()))


def _rows(engine: DuckDBEngine) -> list[tuple[str, str, str, str]]:
    columns = [name for name, *_ in engine.execute(f"DESCRIBE {_ROWS}").fetchall()]
    if "table_id" not in columns:
        return []
    found = engine.execute(f"SELECT project_id, dataset_id, table_id, metadata_json FROM {_ROWS}")  # noqa: S608
    return found.fetchall()
