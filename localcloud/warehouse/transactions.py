"""Transactions are DuckDB's own: of a script, and of a statement with its entries in the catalog.

bqemulator 1.4.0 copies each table that a script's transaction changes, whole, and commits a table and its entry in the
catalog one by one. There is one connection for all statements, so nothing else may run on it before a transaction has
ended: nobody awaits anything meanwhile, which `execute` makes sure of, and other threads wait.
"""

from __future__ import annotations

import asyncio
import functools
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import duckdb
from bqemulator.api.routes import jobs
from bqemulator.domain.errors import InternalError, InvalidQueryError
from bqemulator.jobs import executor
from bqemulator.scripting.interpreter import ScriptInterpreter
from bqemulator.storage.engine import DuckDBEngine

from localcloud.warehouse.replace import replace

READS = re.compile(r"\s*(WITH|SELECT|FROM|DESCRIBE|PRAGMA)\b", re.IGNORECASE)
"""A statement that does not change anything."""

before_commit: list[Callable[[], None]] = []

_lock = threading.RLock()
_IN_THE_MIDDLE = "a statement came in the middle of another one's transaction"
_NOBODY = object()
"""Before the server's loop runs."""
_owner: object | None = None
_has_begun = False
_has_failed = False
_undo: list[Callable[[], object]] = []
_original: dict[str, Callable[..., Any]] = {}


def set_up() -> None:
    """Replaces what runs statements and transactions; called before the server is made."""
    for name, by in (
        ("_handle_txn_statement", handle_statement),
        ("_snapshot_dml_targets", copy_nothing),
        ("_drop_txn_snapshots", give_up),
        ("_restore_txn_snapshots", roll_back_script),
    ):
        replace(ScriptInterpreter, name, by)
    _original["body"] = replace(executor, "_run_query_body", run_query_body)
    _original["execute"] = replace(DuckDBEngine, "execute", execute)
    DuckDBEngine.write_lock = write_lock  # type: ignore[method-assign]
    (route,) = [one for one in list[Any](jobs.router.routes) if one.endpoint is jobs.insert_job]
    route.endpoint = _as_one(jobs.insert_job)
    setattr(jobs, "insert_job", route.endpoint)  # noqa: B010 - mypy knows the name


@contextmanager
def transaction(engine: Any) -> Iterator[None]:
    """What is done within is committed as one, or not at all; within another transaction, with that one.

    One that fails within another undoes that one so far, which then goes on.
    """
    if is_open():
        try:
            yield
        except BaseException:
            _roll_back(engine)
            _begin()
            raise
        return
    _begin()
    try:
        yield
    except BaseException:
        _roll_back(engine)
        raise
    _commit(engine)


def is_open() -> bool:
    """Whether who asks is within a transaction of its own."""
    return _owner is not None and threading.current_thread() is threading.main_thread() and _owner is _who()


def has_changed() -> bool:
    """Whether who asks is within a transaction with a statement that does not only read."""
    return _has_begun and is_open()


def on_rollback(undo: Callable[[], object]) -> None:
    """Says how memory becomes what it was if this transaction, if there is one, is rolled back."""
    if is_open():
        _undo.append(undo)


@contextmanager
def apart() -> Iterator[None]:
    """What is done within is in the middle of no other thread's transaction or statement."""
    with _lock:
        yield


def _begin() -> None:
    """DuckDB hears of it at the first statement that does not only read."""
    global _owner
    if _owner is not None and threading.current_thread() is threading.main_thread():
        raise InternalError(_IN_THE_MIDDLE)
    _lock.acquire()
    _owner = _who()


def _who() -> object:
    try:
        return asyncio.current_task() or _NOBODY
    except RuntimeError:
        return _NOBODY


def _commit(engine: Any) -> None:
    try:
        for one in before_commit:
            one()
        if _has_failed:
            # A statement that fails may abort the transaction. DuckDB rolls back at its COMMIT, without an error.
            _original["execute"](engine, "SELECT 1")
        if _has_begun:
            _original["execute"](engine, "COMMIT")
    except BaseException:
        _roll_back(engine)
        raise
    _end()


def _roll_back(engine: Any) -> None:
    try:
        while _undo:
            _undo.pop()()
        # There is none any more where the database was opened again, or must be.
        with suppress(duckdb.Error):
            if _has_begun:
                _original["execute"](engine, "ROLLBACK")
    finally:
        _end()


def _end() -> None:
    global _owner, _has_begun, _has_failed
    _owner, _has_begun, _has_failed = None, False, False
    _undo.clear()
    _lock.release()


def execute(self: Any, sql: str, parameters: list[Any] | None = None) -> Any:
    """Runs a statement.

    The rows of a table are listed in a thread of its own. There it reads by a connection of its own: on that of the
    statements it would take the rows of one of them, or have its own taken.
    """
    global _has_begun, _has_failed
    if threading.current_thread() is threading.main_thread():
        if _owner is not None and _owner is not _who():
            raise InternalError(_IN_THE_MIDDLE)
        if _owner is not None and not _has_begun and not READS.match(sql):
            _original["execute"](self, "BEGIN TRANSACTION")
            _has_begun = True
        try:
            return _original["execute"](self, sql, parameters)
        except BaseException:
            _has_failed = _has_begun
            raise
    if sql.startswith("SELECT"):
        return self.connection.cursor().execute(sql, parameters)
    with _lock:
        return _original["execute"](self, sql, parameters)


@asynccontextmanager
async def write_lock(self: Any) -> AsyncIterator[None]:
    """A transaction, which no other task that asks for it is within."""
    async with self._write_lock:
        with transaction(self):
            yield


async def run_query_body(
    *,
    project_id: str,
    bq_sql: str,
    query_params: Any,
    ctx: Any,
    is_scripted: bool,
    effective_caller: Any,
) -> Any:
    """Runs a statement and brings the catalog up to date, as one; of a script's, each is by itself."""
    known = {"project_id": project_id, "bq_sql": bq_sql, "query_params": query_params, "ctx": ctx}
    run = _original["body"](**known, is_scripted=is_scripted, effective_caller=effective_caller)
    if is_scripted:
        with _outside(ctx.engine):
            return await run
    with transaction(ctx.engine):
        return await run


@contextmanager
def _outside(engine: Any) -> Iterator[None]:
    """Ends the transaction, and begins another one after what is done within."""
    if not is_open():
        yield
        return
    _commit(engine)
    try:
        yield
    finally:
        _begin()


def _as_one(insert: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """With the job itself, which is stored when it is done."""

    @functools.wraps(insert)
    async def insert_job(project_id: str, request: Any, ctx: Any, caller: Any) -> Any:
        await request.json()  # so that nothing is awaited any more
        with transaction(ctx.engine):
            return await insert(project_id, request, ctx, caller)

    return insert_job


async def handle_statement(self: Any, op: str) -> None:
    """BEGIN, COMMIT or ROLLBACK within a script. One BEGIN within another, or an end without one, means nothing.

    Raises:
        InvalidQueryError: a procedure begins one within its caller's, or what is to be committed was rolled back.
    """
    if op == "BEGIN" and self._active_txn is None:
        if is_open():
            raise InvalidQueryError("a transaction cannot begin within another one")
        _begin()
        self._active_txn, self._has_given_up = {}, False
    elif op == "COMMIT" and self._active_txn is not None:
        self._active_txn = None
        _commit(self._ctx.engine)
    elif op == "COMMIT" and getattr(self, "_has_given_up", False):
        raise InvalidQueryError("the transaction was rolled back when a statement in it failed")
    elif op == "ROLLBACK":
        await roll_back_script(self)


async def copy_nothing(self: Any, sql: str) -> None:
    """DuckDB knows what a statement has changed."""


async def give_up(self: Any) -> None:
    """Rolls back what is open when the script ends, as BigQuery does, and when a script's handler gets an error.

    There the handler may choose to commit what came before the error; to DuckDB it is lost, and COMMIT is refused
    (https://cloud.google.com/bigquery/docs/transactions#transaction_scope).
    """
    if self._active_txn is not None:
        await roll_back_script(self)
        self._has_given_up = True


async def roll_back_script(self: Any) -> None:
    self._has_given_up = False
    if self._active_txn is not None:
        self._active_txn = None
        _roll_back(self._ctx.engine)
