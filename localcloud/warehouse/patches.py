"""What bqemulator 1.4.0 does at a cost that the local cloud need not pay, and what it must do at its start.

It parses a statement some 25 times and copies a table after each change to it, for time travel. Here a statement is
parsed once, there is no time travel, and no extension for GEOGRAPHY, which has 80 MB. `dialect` is what a statement is
changed by on its way to DuckDB.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from typing import Any

import sqlglot
from bqemulator.api import app
from bqemulator.api.routes import jobs, tables
from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.versioning.snapshots import SnapshotManager
from fastapi.dependencies import utils
from sqlglot.expressions.core import POSITION_META_KEYS

from localcloud.warehouse import torn_tables
from localcloud.warehouse.bounded import remembered
from localcloud.warehouse.dialect import as_google
from localcloud.warehouse.replace import replace

_FOR_TEXTS = "dictionary,dict_fsst,fsst,zstd"
"""DuckDB's ways to pack them (https://duckdb.org/docs/stable/configuration/overview.html)."""

_original: dict[str, Callable[..., Any]] = {}


def set_up() -> None:
    """Replaces what the functions below stand for; called before the server is made."""
    replace(SnapshotManager, "capture", capture)
    replace(DuckDBEngine, "_load_spatial", at_start)
    _original["hydrate"] = replace(DuckDBCatalogRepository, "_hydrate_from_duckdb", hydrate)
    setattr(utils, "run_in_threadpool", at_once)  # noqa: B010 - mypy knows the name
    for name, router in (("get_job", jobs.router), ("get_table", tables.router)):
        (route,) = [one for one in list[Any](router.routes) if one.name == name]
        route.endpoint = awaited(route.endpoint)
    for name in ("AccessLogMiddleware", "CorrelationIdMiddleware", "MetricsMiddleware"):
        setattr(app, name, without)
    _original["parse_one"], sqlglot.parse_one = sqlglot.parse_one, parse_one  # type: ignore[assignment]
    _original["transpile"] = replace(sqlglot, "transpile", transpile)
    know_missing("pandas")


def know_missing(module: str) -> None:
    """Let an import of a package that is not installed fail without a search of the path.

    DuckDB imports pandas for each value that a Python function returns, which made a value six times as expensive.
    """
    if importlib.util.find_spec(module) is None:
        sys.meta_path.insert(0, _Missing(module))


class _Missing(MetaPathFinder):
    """Says at once that a package is not there. A None in `sys.modules` would do, but pyarrow takes it for pandas."""

    def __init__(self, module: str) -> None:
        self._module = module

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == self._module:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def parse_one(sql: str, read: str | None = None, **options: Any) -> Any:
    """The tree of a statement, remembered; a copy, since callers change what they get."""
    if options or read == "duckdb":  # which a statement is translated to but once
        return _original["parse_one"](sql, read=read, **options)
    return tree_of(sql, read).copy()


@remembered(128, 200_000)  # characters: a tree takes a hundred times as many bytes
def tree_of(sql: str, read: str | None) -> Any:
    """The tree of a statement, remembered; who asks for it must not change it."""
    return _without_positions(_original["parse_one"](sql, read=read))


def _without_positions(tree: Any) -> Any:
    """A tree whose nodes do not say where in the text they were: nothing asks, and a copy takes half as long."""
    for node in tree.walk():
        if node._meta:
            node._meta = {key: value for key, value in node._meta.items() if key not in POSITION_META_KEYS} or None
    return tree


def transpile(
    sql: str, read: Any = None, write: Any = None, identity: bool = True, error_level: Any = None, **options: Any
) -> list[str]:
    """Statements in another dialect; those in GoogleSQL mean there what they mean to Google."""
    if (read, write) != ("bigquery", "duckdb"):
        return list(_original["transpile"](sql, read, write, identity, error_level, **options))
    trees = sqlglot.parse(sql, read=read, error_level=error_level)
    return [as_google(tree).sql(dialect=write, **options) for tree in trees if tree]


def capture(self: Any, project_id: str, dataset_id: str, table_id: str, *, kind: str = "AUTO") -> None:
    """Takes no snapshot of a table after a change."""


def at_start(self: Any) -> None:
    """Downloads no extension, and leaves texts as they are: to look for how a column of them is packed best takes
    DuckDB longer than to read the file they come from."""
    self._connection.execute(f"SET disabled_compression_methods = '{_FOR_TEXTS}'")


async def at_once(call: Callable[..., Any], **values: Any) -> Any:
    """Calls what a route depends on, which only looks at the request: a thread for it takes longer than itself."""
    return call(**values)


def awaited(answer: Callable[..., Any]) -> Callable[..., Any]:
    """A route that only looks at what is in memory, not in a thread."""

    @functools.wraps(answer)
    async def answered(*given: Any, **options: Any) -> Any:
        return answer(*given, **options)

    return answered


def without(inner: Any, **options: Any) -> Any:
    """Logs and counts no requests: nobody reads that, and it takes a tenth of the time of small ones."""
    return inner


def hydrate(self: Any) -> None:
    """Reads the catalog, after the repair of what a kill left half done."""
    for schema, table in torn_tables.repair(self._engine):
        print(
            f"{schema}.{table} was half created or half dropped when the process was killed; it is dropped",
            file=sys.stderr,
        )
    _original["hydrate"](self)
