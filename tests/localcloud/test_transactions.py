"""Transactions of the local warehouse: all of one, or nothing, also of what its memory says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from bqemulator.domain.errors import InternalError
from google.api_core.exceptions import BadRequest, InternalServerError, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import Client
from requests.exceptions import ConnectionError as Disconnected

from localcloud.warehouse import transactions
from localcloud.warehouse.entries import Store
from tests.harness.warehouse import local_warehouse

_FAULTS = """
import os, runpy, signal
import duckdb
from bqemulator.storage.engine import DuckDBEngine

run = DuckDBEngine.execute
at_commit = set()
broken = []

def execute(self, sql, parameters=None):
    at_entry = "dies_at_entry" in sql and sql.startswith("COMMENT")
    at_job = "dies_at_job" in sql and '."jobs"' in sql
    if "dies_at_once" in sql or at_entry or at_job:
        os.kill(os.getpid(), signal.SIGKILL)
    at_commit.update(word for word in ("dies_at_commit", "fails_at_commit", "breaks_at_commit") if word in sql)
    if sql == "COMMIT" and "dies_at_commit" in at_commit:
        os.kill(os.getpid(), signal.SIGKILL)
    if sql == "COMMIT" and "fails_at_commit" in at_commit:
        at_commit.clear()
        raise duckdb.IOException("no space left")
    if sql == "COMMIT" and "breaks_at_commit" in at_commit:
        at_commit.clear()
        broken.append(self.connection)
    if self.connection in broken:
        raise duckdb.FatalException("an internal error")
    return run(self, sql, parameters)

DuckDBEngine.execute = execute
runpy.run_module("localcloud.warehouse", run_name="__main__")
"""


_NEVER: Any = None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transactions")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    with _faulty(folder)() as client:
        yield client


@pytest.fixture
def numbers(client: Client) -> Iterator[None]:
    """A table of one row."""
    _run(client, "CREATE OR REPLACE TABLE d.numbers AS SELECT 1 AS n")
    yield
    _run(client, "DROP TABLE d.numbers")


def _faulty(folder: Path) -> Callable[[], AbstractContextManager[Client]]:
    program = folder / "faults.py"
    program.write_text(_FAULTS)
    return lambda: local_warehouse(folder, (str(program),))


def _run(client: Client, sql: str) -> list[int]:
    """The first column of what a statement or a script answers."""
    return [row[0] for row in client.query(sql, job_retry=None).result(job_retry=None)]


def _send_once(client: Client, sql: str, job_id: str) -> None:
    client.query(sql, job_id=job_id, retry=_NEVER, job_retry=None).result(retry=None, job_retry=None)


def _numbers(client: Client) -> list[int]:
    return _run(client, "SELECT n FROM d.numbers ORDER BY n")


_FAILS = "SELECT CAST(s AS INT64) FROM (SELECT CONCAT('x', n) AS s FROM d.numbers)"
"""After which DuckDB's transaction is aborted."""


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("INSERT INTO d.numbers VALUES (2); COMMIT TRANSACTION", [1, 2], id="committed"),
        pytest.param("INSERT INTO d.numbers VALUES (2); ROLLBACK TRANSACTION", [1], id="rolled back"),
        pytest.param("INSERT INTO d.numbers VALUES (2)", [1], id="ended before COMMIT"),
        pytest.param(
            "DELETE FROM d.numbers WHERE TRUE; ROLLBACK; BEGIN TRANSACTION; INSERT INTO d.numbers VALUES (3); COMMIT",
            [1, 3],
            id="one after the other",
        ),
        pytest.param(
            f"INSERT INTO d.numbers VALUES (2); BEGIN {_FAILS}; EXCEPTION WHEN ERROR THEN ROLLBACK TRANSACTION; END;"
            " INSERT INTO d.numbers VALUES (3)",
            [1, 3],
            id="rolled back by a handler",
        ),
        pytest.param("DROP TABLE d.numbers; ROLLBACK TRANSACTION", [1], id="a table dropped"),
    ],
)
def test_a_script(client: Client, numbers: None, script: str, expected: list[int]) -> None:
    """Its transaction ends as BigQuery's does (https://cloud.google.com/bigquery/docs/transactions)."""
    _run(client, f"BEGIN TRANSACTION; {script};")
    assert _numbers(client) == expected
    assert client.get_table("d.numbers").num_rows == 1


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(f"{_FAILS}; COMMIT TRANSACTION", id="a value"),
        pytest.param("SELECT nothing FROM d.numbers; COMMIT TRANSACTION", id="a name"),
        pytest.param("INSERT INTO d.missing VALUES (1); COMMIT TRANSACTION", id="a table"),
        pytest.param(
            f"BEGIN {_FAILS}; EXCEPTION WHEN ERROR THEN SELECT 1; END; COMMIT TRANSACTION", id="committed all the same"
        ),
    ],
)
def test_a_script_that_fails_half_way_leaves_nothing(client: Client, numbers: None, script: str) -> None:
    """And says so. What comes after it is a transaction of its own."""
    with pytest.raises((BadRequest, NotFound)):
        _run(
            client,
            f"BEGIN TRANSACTION; INSERT INTO d.numbers VALUES (2); DELETE FROM d.numbers WHERE n = 1; {script};",
        )
    assert _numbers(client) == [1]
    _run(client, "INSERT INTO d.numbers VALUES (3)")
    assert _numbers(client) == [1, 3]


def test_a_table_of_a_transaction_that_is_rolled_back_is_not_there(client: Client, numbers: None) -> None:
    """Neither for who asks about it, nor for who makes it."""
    _run(client, "BEGIN TRANSACTION; CREATE TABLE d.made AS SELECT n FROM d.numbers; ROLLBACK TRANSACTION;")
    with pytest.raises(NotFound):
        client.get_table("d.made")
    _run(client, "CREATE TABLE d.made AS SELECT 5 AS m")
    assert [field.name for field in client.get_table("d.made").schema] == ["m"]
    _run(client, "DROP TABLE d.made")


@pytest.mark.parametrize("word", ["fails_at_commit", "breaks_at_commit"])
def test_a_statement_that_cannot_be_committed_is_an_error(client: Client, numbers: None, word: str) -> None:
    """Nothing of it is there: no rows, no table, no job, so that it can be sent again by its id."""
    for sql in (f"CREATE TABLE d.made AS SELECT 7 AS {word}", f"INSERT INTO d.numbers SELECT 2 AS {word}"):
        job_id = f"{word.replace('_', '-')}-{sql[:6]}"
        with pytest.raises(InternalServerError):
            _send_once(client, sql, job_id)
        assert _numbers(client) == [1]
        assert ("made" in {table.table_id for table in client.list_tables("d")}) == (sql[:6] == "INSERT")
        with pytest.raises(NotFound):
            client.get_job(job_id)
        _send_once(client, sql.replace(f" AS {word}", " AS n"), job_id)
    assert _numbers(client) == [1, 2]
    assert _run(client, "SELECT n FROM d.made") == [7]
    _run(client, "DROP TABLE d.made")


@pytest.mark.parametrize("source", ["PARQUET", "CSV"])
def test_a_load_that_fails_leaves_what_was_there(client: Client, folder: Path, numbers: None, source: str) -> None:
    """A table that it was to truncate, and no table that it was to make."""
    bucket = folder / "bucket" / "b"
    bucket.mkdir(parents=True, exist_ok=True)
    (bucket / "good").write_text("5\n")
    (bucket / "wrong").write_text("no number\n")
    config = bigquery.LoadJobConfig(source_format=source, write_disposition="WRITE_TRUNCATE")
    if source == "CSV":
        config.schema = [bigquery.SchemaField("n", "INT64")]
    for name in ("numbers", "loaded"):
        job = client.load_table_from_uri(["gs://b/good", "gs://b/wrong"], f"local.d.{name}", job_config=config)
        with pytest.raises(BadRequest):
            job.result()
    assert _numbers(client) == [1]
    assert client.get_table("d.numbers").num_rows == 1
    with pytest.raises(NotFound):
        client.get_table("d.loaded")
    _run(client, "CREATE TABLE d.loaded AS SELECT 5 AS m")
    _run(client, "DROP TABLE d.loaded")


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            "BEGIN TRANSACTION; INSERT INTO d.numbers VALUES (2); DELETE FROM d.numbers WHERE n = 1;"
            " INSERT INTO d.numbers SELECT 3 AS dies_at_once; COMMIT TRANSACTION;",
            id="in a script's transaction",
        ),
        pytest.param(
            "BEGIN TRANSACTION; INSERT INTO d.numbers SELECT 3 AS dies_at_commit; COMMIT TRANSACTION;",
            id="before a script's COMMIT",
        ),
        pytest.param("CREATE TABLE d.made AS SELECT 1 AS dies_at_entry", id="between a table and its entry"),
        pytest.param("INSERT INTO d.numbers SELECT 3 AS dies_at_job", id="between rows and their job"),
        pytest.param("CREATE TABLE d.made AS SELECT 1 AS dies_at_job", id="between a table and its job"),
        pytest.param("DROP TABLE d.numbers /* dies_at_job */", id="between a table dropped and its job"),
        pytest.param(
            "CREATE OR REPLACE TABLE d.numbers AS SELECT 3 AS dies_at_commit", id="while a table is replaced"
        ),
        pytest.param("ALTER TABLE d.numbers RENAME COLUMN n TO dies_at_commit", id="while a column is renamed"),
    ],
)
def test_a_kill_leaves_nothing_of_what_was_not_answered(tmp_path: Path, sql: str) -> None:
    """And all of what was."""
    warehouse = _faulty(tmp_path)
    with warehouse() as client:
        _send_once(client, "CREATE TABLE d.numbers AS SELECT 1 AS n", "made-before")
        with pytest.raises(Disconnected):
            _send_once(client, sql, "killed")
    with warehouse() as client:
        assert _numbers(client) == [1]
        assert [table.table_id for table in client.list_tables("d")] == ["numbers"]
        assert [field.name for field in client.get_table("d.numbers").schema] == ["n"]
        with pytest.raises(NotFound):
            client.get_job("killed")
        assert client.get_job("made-before").state == "DONE"
        _send_once(client, "CREATE TABLE d.made AS SELECT 1 AS n", "killed")
    assert "half created" not in (tmp_path / "warehouse.log").read_text()


def test_a_kill_between_a_table_and_its_entry_of_a_call_for_rows(tmp_path: Path) -> None:
    """Which has a job only after it."""
    warehouse = _faulty(tmp_path)
    with warehouse() as client, pytest.raises(Disconnected):
        client.query_and_wait("CREATE TABLE d.made AS SELECT 1 AS dies_at_entry", retry=_NEVER, job_retry=_NEVER)
    with warehouse() as client:
        assert not list(client.list_tables("d"))
    assert "half created" not in (tmp_path / "warehouse.log").read_text()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in this process, as transactions see it, with a table of one row."""

    def run(engine: duckdb.DuckDBPyConnection, sql: str, parameters: object = None) -> object:
        return engine.execute(sql)

    monkeypatch.setitem(transactions._original, "execute", run)
    with duckdb.connect() as database:
        database.execute("CREATE TABLE numbers AS SELECT 1 AS n")
        yield database


def _kept(engine: duckdb.DuckDBPyConnection) -> list[int]:
    return [row[0] for row in engine.execute("SELECT n FROM numbers ORDER BY n").fetchall()]


def test_a_transaction_that_duckdb_has_aborted_is_not_said_to_be_committed(engine: duckdb.DuckDBPyConnection) -> None:
    """Whoever swallows the error that aborted it. An error that does not abort it loses nothing."""
    for sql, is_aborted in (("SELECT CAST('x' || n AS INT) FROM numbers", True), ("SELECT nothing", False)):
        expected = pytest.raises(duckdb.TransactionException, match="aborted") if is_aborted else nullcontext()
        with expected, transactions.transaction(engine):
            transactions.execute(engine, "INSERT INTO numbers VALUES (2)")
            with suppress(duckdb.ConversionException, duckdb.BinderException):
                transactions.execute(engine, sql)
        assert not transactions.is_open()
        assert _kept(engine) == ([1] if is_aborted else [1, 2])


def test_no_task_is_in_another_ones_transaction(engine: duckdb.DuckDBPyConnection) -> None:
    """Were anything awaited in the middle of one, others would fail, and neither change nor end it."""

    async def first(begun: asyncio.Event, tried: asyncio.Event) -> None:
        with transactions.transaction(engine):
            transactions.execute(engine, "INSERT INTO numbers VALUES (2)")
            begun.set()
            await tried.wait()
            transactions.execute(engine, "INSERT INTO numbers VALUES (3)")

    async def second(begun: asyncio.Event, tried: asyncio.Event) -> None:
        await begun.wait()
        with pytest.raises(InternalError):
            transactions.execute(engine, "INSERT INTO numbers VALUES (4)")
        with pytest.raises(InternalError), transactions.transaction(engine):
            raise AssertionError("it is within")
        assert not transactions.is_open()
        tried.set()

    async def both() -> None:
        begun, tried = asyncio.Event(), asyncio.Event()
        await asyncio.gather(first(begun, tried), second(begun, tried))

    asyncio.run(both())
    assert _kept(engine) == [1, 2, 3]


def test_a_thread_waits_for_the_end_of_a_transaction(engine: duckdb.DuckDBPyConnection) -> None:
    """With what changes anything, so that nothing of it goes when the transaction is rolled back."""
    with ThreadPoolExecutor(1) as pool:
        with suppress(ZeroDivisionError), transactions.transaction(engine):
            transactions.execute(engine, "INSERT INTO numbers VALUES (2)")
            other = pool.submit(transactions.execute, engine, "INSERT INTO numbers VALUES (3)")
            # Time that it would need, were it not to wait.
            assert not wait([other], 0.2).done
            raise ZeroDivisionError
        other.result()
    assert _kept(engine) == [1, 3]


def test_memory_is_what_it_was_before_a_transaction_that_is_rolled_back(engine: duckdb.DuckDBPyConnection) -> None:
    store = Store(kept=1, changed=1, deleted=1)
    with suppress(ZeroDivisionError), transactions.transaction(engine):
        store["changed"] = 2
        store["changed"] = 3
        store["made"] = 4
        del store["made"]
        del store["deleted"]
        store["deleted"] = 5
        raise ZeroDivisionError
    assert store == {"kept": 1, "changed": 1, "deleted": 1}
    with transactions.transaction(engine):
        store["changed"] = 2
    with suppress(ZeroDivisionError), transactions.transaction(engine):
        raise ZeroDivisionError
    assert store["changed"] == 2


def test_jobs_at_the_same_time(client: Client, numbers: None) -> None:
    """From several threads, some fail, some are rolled back, and rows are listed meanwhile: each is whole."""
    most, ended, seen = 6, threading.Event(), []

    def list_rows() -> None:
        table = client.get_table("d.numbers")
        while not ended.is_set():
            seen.append(sorted(row[0] for row in client.list_rows(table)))

    def work(number: int) -> None:
        for turn in range(5):
            first = 10 + 100 * number + 2 * turn
            pair = f"INSERT INTO d.numbers VALUES ({first}); INSERT INTO d.numbers VALUES ({first + 1})"
            _run(client, f"BEGIN TRANSACTION; {pair}; COMMIT TRANSACTION;")
            _run(client, f"BEGIN TRANSACTION; {pair}; ROLLBACK TRANSACTION;")
            with pytest.raises(BadRequest):
                _run(client, f"BEGIN TRANSACTION; {pair}; {_FAILS}; COMMIT TRANSACTION;")
            _run(client, f"CREATE TABLE d.own_{number}_{turn} AS SELECT {first} AS n")
            assert _run(client, f"SELECT n FROM d.own_{number}_{turn}") == [first]
            _run(client, f"DROP TABLE d.own_{number}_{turn}")

    with ThreadPoolExecutor(most + 1) as pool:
        listing = pool.submit(list_rows)
        working = [pool.submit(work, number) for number in range(most)]
        try:
            for one in working:
                one.result()
        finally:
            ended.set()
        listing.result()
    expected = [1, *(10 + 100 * number + n for number in range(most) for n in range(10))]
    assert _numbers(client) == expected
    assert seen
    for rows in seen:
        pairs = set(rows) - {1}
        assert len(rows) == len(set(rows))
        assert pairs == {n ^ 1 for n in pairs}
