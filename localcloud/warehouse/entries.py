"""The catalog's entries of tables and jobs, which bqemulator 1.4.0 writes to the database more often than it need.

Within a transaction an entry is written once, at its end, however often it changes. A count of rows alone is not
written; DuckDB knows it when the process starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.storage.engine import CATALOG_SCHEMA
from bqemulator.storage.sql_identifiers import schema_name

from localcloud.warehouse import transactions
from localcloud.warehouse.replace import replace

_TABLES = f'"{CATALOG_SCHEMA}"."tables"'

_JOBS = f'"{CATALOG_SCHEMA}"."jobs"'
_KEY = ("project_id", "dataset_id", "table_id")

Run = Callable[[str], Any]
Key = tuple[str, str, str]

_pending: dict[Key, tuple[Any, Any]] = {}
"""The catalog, and the entry that this transaction is to write, or None where it is to delete it."""
_stored: dict[Key, bool] = {}
"""Whether the database has an entry of a table."""
_before: dict[Key, bool] = {}
"""What `_stored` was before this transaction wrote."""
_original: dict[str, Callable[..., Any]] = {}


def set_up() -> None:
    """Replaces what writes entries; called before the server is made."""
    for name, by in (
        ("_write_table", write_table),
        ("update_table", update_table),
        ("delete_table", delete_table),
        ("_hydrate_tables", hydrate_tables),
        ("_write_job", write_job),
    ):
        _original[name] = replace(DuckDBCatalogRepository, name, by)
    transactions.before_commit.append(_write_pending)
    transactions.after_rollback.append(_forget_pending)


def write_table(self: Any, table: Any) -> None:
    """Writes a table's entry, at the end of the transaction where there is one."""
    _change(self, (table.project_id, table.dataset_id, table.table_id), table)


def update_table(self: Any, table: Any) -> Any:
    """Changes a table's entry."""
    self.ensure_ready()
    key = (table.project_id, table.dataset_id, table.table_id)
    before = self._cache.get_table(*key)
    updated = self._cache.update_table(table)
    if before is None or before.model_copy(update={"num_rows": table.num_rows}) != table:
        _change(self, key, updated)
    return updated


def delete_table(self: Any, project_id: str, dataset_id: str, table_id: str, *, not_found_ok: bool = False) -> None:
    """Deletes a table's entry."""
    self.ensure_ready()
    key = (project_id, dataset_id, table_id)
    had = self._cache.get_table(*key) is not None
    self._cache.delete_table(*key, not_found_ok=not_found_ok)
    if had:
        _change(self, key, None)


def _change(catalog: Any, key: Key, table: Any) -> None:
    if transactions.is_open():
        _pending[key] = (catalog, table)
    else:
        _write(catalog, key, table)


def _write_pending() -> None:
    _before.clear()
    for key, (catalog, table) in _pending.items():
        _before[key] = _stored.get(key, False)
        _write(catalog, key, table)
    _pending.clear()


def _forget_pending() -> None:
    _pending.clear()
    _stored.update(_before)
    _before.clear()


def _write(catalog: Any, key: Key, table: Any) -> None:
    run, stored = catalog._engine.execute, _stored.get(key, False)
    if table is None:
        if stored:
            run(f"DELETE FROM {_TABLES} WHERE {_is(key)}")  # noqa: S608
        _stored.pop(key, None)
        return
    values = {
        "table_type": table.table_type,
        "metadata_json": table.model_dump_json(by_alias=True),
        "creation_time": table.creation_time,
        "last_modified_time": table.last_modified_time,
        "num_rows": table.num_rows,
        "num_bytes": table.num_bytes,
        "etag": table.etag,
    }
    if not stored or not _update(run, key, values):
        _insert(run, _TABLES, dict(zip(_KEY, key, strict=True)) | values)
    _stored[key] = True


def _update(run: Run, key: Key, values: dict[str, Any]) -> bool:
    """Whether there was an entry: who deletes a dataset deletes those of its tables."""
    changes = ", ".join(f"{name} = {_literal(value)}" for name, value in values.items())
    return bool(run(f"UPDATE {_TABLES} SET {changes} WHERE {_is(key)}").fetchone()[0])  # noqa: S608


def _insert(run: Run, table: str, values: dict[str, Any]) -> None:
    literals = ", ".join(map(_literal, values.values()))
    run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({literals})")  # noqa: S608


def _is(key: Key) -> str:
    return " AND ".join(f"{name} = {_literal(value)}" for name, value in zip(_KEY, key, strict=True))


def _literal(value: Any) -> str:
    """Of a text, a number, a time or None. With ten parameters DuckDB takes three times as long as with literals."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def hydrate_tables(self: Any) -> None:
    """Reads the entries of tables, with the counts of rows that DuckDB has."""
    _original["_hydrate_tables"](self)
    counts = self._engine.execute("SELECT schema_name, table_name, estimated_size FROM duckdb_tables()").fetchall()
    rows = {(schema, name): count for schema, name, count in counts}
    tables = self._cache._tables
    for key, table in list(tables.items()):
        count = rows.get((schema_name(*key[:2]), key[2]), table.num_rows)
        tables[key] = table.model_copy(update={"num_rows": count})
    _stored.clear()
    _stored.update(dict.fromkeys(tables, True))


def write_job(self: Any, job: Any) -> None:
    """Writes a job that is not there: to have DuckDB replace one costs twice as much."""
    values = {
        "project_id": job.project_id,
        "job_id": job.job_id,
        "job_type": job.job_type,
        "state": job.state,
        "metadata_json": job.model_dump_json(by_alias=True),
        "creation_time": job.creation_time,
        "start_time": job.start_time,
        "end_time": job.end_time,
        "etag": job.etag,
    }
    _insert(self._engine.execute, _JOBS, values)
