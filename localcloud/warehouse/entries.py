"""The catalog's entries: of a table as a comment of the table in the database, of a job as a row.

bqemulator 1.4.0 has a row for a table too, which it inserts, replaces and deletes at ten times the cost, and which a
kill can tear from its table. Within a transaction an entry is written once, at its end, however often it changes. A
count of rows alone is not written; DuckDB knows it when the process starts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.catalog.memory_repository import MemoryCatalogRepository
from bqemulator.catalog.models import TableMeta
from bqemulator.storage.engine import CATALOG_SCHEMA
from bqemulator.storage.sql_identifiers import quoted_table_ref

from localcloud.warehouse import transactions
from localcloud.warehouse.replace import replace

_JOBS = f'"{CATALOG_SCHEMA}"."jobs"'

Key = tuple[str, str, str]

_pending: dict[Key, tuple[Any, Any]] = {}
"""The catalog, and the entry that this transaction is to write."""
_original: dict[str, Callable[..., Any]] = {}


def set_up() -> None:
    """Replaces what reads and writes entries; called before the server is made."""
    for name, by in (
        ("_write_table", write_table),
        ("update_table", update_table),
        ("delete_table", delete_table),
        ("_hydrate_tables", hydrate_tables),
        ("_write_job", write_job),
    ):
        replace(DuckDBCatalogRepository, name, by)
    _original["make_stores"] = replace(MemoryCatalogRepository, "__init__", make_stores)
    transactions.before_commit.append(_write_pending)


class Store(dict[Any, Any]):
    """What the catalog has in memory of one kind of things; what a transaction changes goes when it is rolled back."""

    def __setitem__(self, key: Any, value: Any) -> None:
        transactions.on_rollback(self._back(key))
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        transactions.on_rollback(self._back(key))
        super().__delitem__(key)

    def _back(self, key: Any) -> Callable[[], Any]:
        if key in self:
            return partial(super().__setitem__, key, self[key])
        return partial(super().pop, key, None)


def make_stores(self: Any, engine: Any = None) -> None:
    """Makes an empty catalog in memory."""
    _original["make_stores"](self, engine)
    for name, store in list(vars(self).items()):
        if isinstance(store, dict):
            setattr(self, name, Store())


def write_table(self: Any, table: Any) -> None:
    """Writes a table's entry, at the end of the transaction where there is one."""
    if transactions.is_open():
        transactions.on_rollback(_pending.clear)
        _pending[_key(table)] = (self, table)
    else:
        _write(self, table)


def update_table(self: Any, table: Any) -> Any:
    """Changes a table's entry."""
    self.ensure_ready()
    before = self._cache.get_table(*_key(table))
    updated = self._cache.update_table(table)
    if before is None or before.model_copy(update={"num_rows": table.num_rows}) != table:
        write_table(self, updated)
    return updated


def delete_table(self: Any, project_id: str, dataset_id: str, table_id: str, *, not_found_ok: bool = False) -> None:
    """Forgets a table, whose entry goes with it."""
    self.ensure_ready()
    self._cache.delete_table(project_id, dataset_id, table_id, not_found_ok=not_found_ok)
    _pending.pop((project_id, dataset_id, table_id), None)


def _write_pending() -> None:
    for catalog, table in _pending.values():
        _write(catalog, table)
    _pending.clear()


def _write(catalog: Any, table: Any) -> None:
    write_comment(
        catalog._engine, quoted_table_ref(*_key(table)), table.table_type, table.model_dump_json(by_alias=True)
    )


def write_comment(engine: Any, table: str, kind: str, entry: str) -> None:
    """Writes an entry, as JSON; `table` is its name in the database, in quotes."""
    engine.execute(f"COMMENT ON {'VIEW' if kind == 'VIEW' else 'TABLE'} {table} IS {literal(entry)}")


def _key(table: Any) -> Key:
    return table.project_id, table.dataset_id, table.table_id


def hydrate_tables(self: Any) -> None:
    """Reads the entries of tables, with the counts of rows that DuckDB has."""
    found = self._engine.execute(
        "SELECT comment, estimated_size FROM duckdb_tables() WHERE comment IS NOT NULL"
        " UNION ALL SELECT comment, 0 FROM duckdb_views() WHERE comment IS NOT NULL"
    ).fetchall()
    for entry, rows in found:
        table = TableMeta.model_validate_json(entry)
        self._cache._tables[_key(table)] = table.model_copy(update={"num_rows": rows})


def write_job(self: Any, job: Any) -> None:
    """Writes a job that is not there: to have DuckDB replace one costs twice as much, and parameters thrice."""
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
    literals = ", ".join("NULL" if value is None else literal(str(value)) for value in values.values())
    self._engine.execute(f"INSERT INTO {_JOBS} ({', '.join(values)}) VALUES ({literals})")  # noqa: S608


def literal(text: str) -> str:
    """A text in DuckDB's SQL."""
    return "'" + text.replace("'", "''") + "'"
