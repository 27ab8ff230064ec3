"""How many threads DuckDB works with: all of them where there is enough to share, one elsewhere.

A thread takes whole groups of 122,880 rows
(https://duckdb.org/docs/stable/guides/performance/how_to_tune_workloads#parallelism-multi-core-processing). Of one
group the others take nothing, and to wake them takes a small statement a fifth of its time.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from bqemulator.jobs import executor
from bqemulator.scripting import interpreter

from localcloud.warehouse.shapes import shape_of
from localcloud.warehouse.translation import DML, Names, named_tables

ROWS = 122_880
"""What reads more than so many is worth all threads."""

_TRANSLATE = "rewrite_and_translate_statement"
"""It is called before each statement."""

_connection: Any = None
_all = _now = 1
"""Of this connection."""
_written: set[Names] = set()
"""Tables that statements have written to: the catalog does not know how many rows they have since."""


def set_up() -> None:
    """Replaces what translates statements; called before the server is made."""
    for module in (executor, interpreter):
        setattr(module, _TRANSLATE, _before(getattr(module, _TRANSLATE)))


def use_all(engine: Any, has_enough: bool) -> None:
    """From here on DuckDB works with all threads that it has chosen for this machine, or with one."""
    global _connection, _all, _now
    if engine.connection is not _connection:
        _connection = engine.connection
        (_all,) = _connection.execute("SELECT current_setting('threads')").fetchone()
        _now = _all
    wanted = _all if has_enough else 1
    if wanted != _now:
        _connection.execute(f"SET threads = {wanted}")
        _now = wanted


def _before(translate: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    @functools.wraps(translate)
    async def translated(bq_sql: str, *, project_id: str, ctx: Any, **known: Any) -> str:
        use_all(ctx.engine, _has_enough(bq_sql, project_id, ctx.catalog))
        return await translate(bq_sql, project_id=project_id, ctx=ctx, **known)

    return translated


def _has_enough(bq_sql: str, project_id: str, catalog: Any) -> bool:
    """Whether a statement reads many rows, or may do so for what is known of it."""
    shape = shape_of(bq_sql)
    named = named_tables(shape.text, project_id)
    if named is None:
        return True
    tables: list[Any] = [tuple(map(shape.restore, one)) for one in named]
    if DML.match(bq_sql):
        _written.update(tables[:1])  # the one that it writes to is named first
    found = [one for one in (catalog.get_table(*names) for names in tables) if one is not None]
    has_others = any(one.table_type != "TABLE" for one in found) or not _written.isdisjoint(tables)
    return has_others or sum(one.num_rows for one in found) > ROWS
