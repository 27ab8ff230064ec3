"""A database that DuckDB has given up on is opened again, with all that was committed.

After an internal error DuckDB refuses every further statement until the file is opened anew; the process would go on
and answer each request with an error. One such error of DuckDB 1.5.5, "Attempted to access index 0 within vector of
size 0", has been seen now and then while dead letters are read. The statement that failed is kept beside the
database, where rows are anyway, and not in the log.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
from bqemulator.storage.engine import DuckDBEngine

from localcloud.warehouse import transactions

_log = logging.getLogger(__name__)


def set_up() -> None:
    """Replaces what runs a statement; called before the server is made."""
    for name in ("execute", "fetch_arrow"):
        setattr(DuckDBEngine, name, _reopening(getattr(DuckDBEngine, name)))


def _reopening(run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def reopening(self: Any, sql: str, parameters: list[Any] | None = None) -> Any:
        try:
            return run(self, sql, parameters)
        except (duckdb.FatalException, duckdb.InternalException) as error:
            with transactions.apart():
                has_changed = transactions.has_changed()
                _reopen(self, sql, error)
            if has_changed or not transactions.READS.match(sql):
                # It may have been carried out or not, and what came before it is undone: who sent it decides.
                raise
        return run(self, sql, parameters)

    return reopening


def _reopen(engine: Any, sql: str, error: Exception) -> None:
    path = Path(engine._resolve_path())
    path.with_name("failed_statement.sql").write_text(sql, encoding="utf-8")
    _log.error("the database was opened again after a %s", type(error).__name__)
    _run(engine.stop())
    _run(engine.start())


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """To its end: it awaits nothing, and the server's loop is not to be entered from here."""
    with suppress(StopIteration):
        coroutine.send(None)
