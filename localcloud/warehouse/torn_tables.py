"""What a SIGKILL tears apart in bqemulator 1.4.0, which writes a table and its entry in the catalog one by one.

A table without an entry cannot be created again, an entry without a table cannot be read. The next start drops both:
the call that was to create or to drop the table was never answered.
"""

from __future__ import annotations

from bqemulator.storage.engine import CATALOG_SCHEMA, DuckDBEngine
from bqemulator.storage.sql_identifiers import schema_name

_DATASETS = f'"{CATALOG_SCHEMA}"."datasets"'
_ENTRIES = f'"{CATALOG_SCHEMA}"."tables"'


def repair(engine: DuckDBEngine) -> list[tuple[str, str]]:
    """Drops torn tables and entries, before the catalog is read; returns the schema and name of each."""
    datasets = engine.execute(f"SELECT project_id, dataset_id FROM {_DATASETS}").fetchall()  # noqa: S608
    schemas = {schema_name(*dataset) for dataset in datasets}
    found = engine.execute("SELECT table_schema, table_name, table_type FROM information_schema.tables").fetchall()
    kinds = {(schema, name): kind for schema, name, kind in found if schema in schemas}
    entries = engine.execute(f"SELECT project_id, dataset_id, table_id FROM {_ENTRIES}").fetchall()  # noqa: S608
    recorded = {
        (schema_name(project, dataset), table): (project, dataset, table) for project, dataset, table in entries
    }
    for schema, name in kinds.keys() - recorded.keys():
        kind = "VIEW" if kinds[schema, name] == "VIEW" else "TABLE"
        engine.execute(f'DROP {kind} "{schema}"."{name}"')
    for torn in recorded.keys() - kinds.keys():
        engine.execute(
            f"DELETE FROM {_ENTRIES} WHERE project_id = ? AND dataset_id = ? AND table_id = ?",  # noqa: S608
            list(recorded[torn]),
        )
    return sorted(kinds.keys() ^ recorded.keys())
