"""A few streamed rows are in their table as many are, whatever texts, numbers and times they have."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from bqemulator.api.routes import tabledata
from bqemulator.catalog.memory_repository import MemoryCatalogRepository
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

from localcloud.warehouse import streamed_rows, transactions
from tests.harness.catalog import entry
from tests.harness.warehouse import local_warehouse

_PLAIN = [
    SchemaField("t", "STRING"),
    SchemaField("n", "INTEGER"),
    SchemaField("ts", "TIMESTAMP"),
    SchemaField("more", "STRING"),
]
_BY_ARROW = [*_PLAIN, SchemaField("b", "BOOLEAN")]
"""Of a table with a column of another type bqemulator makes an Arrow table, as it does of all."""

_NASTY: Sequence[Mapping[str, Any]] = [
    {"t": "it's '' \"quoted\" \\' `and` ? $1 -- not /* closed", "n": 1},
    {"t": "", "n": 0},
    {"t": None, "n": None, "ts": None},
    {},
    {"t": "NULL", "more": "'); DROP TABLE d.plain; --"},
    {"t": "a\nb\r\n\tc\x01\x7f", "more": "\N{GRINNING FACE}\u00e9\u0301\ufffd\u202e"},
    {"t": "ends\0here", "more": "\0"},
    {"n": 2**63 - 1, "ts": "2024-02-29T23:59:59.999999Z"},
    {"n": -(2**63), "ts": "0001-01-01 00:00:00+00:00"},
    {"n": "12", "ts": "9999-12-31T23:59:59.999999+00:00"},
    {"n": 7, "ts": "2024-06-01T00:00:00.123456+05:30"},
    {"ts": 1700000000.5},
    {"t": 5, "more": True, "unknown": "column"},
    {"t": '{"a": "b\\u0000"}', "more": "x" * 100_000},
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    with local_warehouse(tmp_path_factory.mktemp("warehouse")) as found:
        yield found


def _made(client: bigquery.Client, name: str, schema: Sequence[SchemaField]) -> str:
    client.create_table(bigquery.Table(f"local.d.{name}", schema=schema))
    return f"local.d.{name}"


def _rows(client: bigquery.Client, table: str) -> list[tuple[Any, ...]]:
    found = client.query_and_wait(f"SELECT t, n, ts, more FROM `{table}`")
    return sorted((tuple(row) for row in found), key=repr)


def _outcome(client: bigquery.Client, table: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    """What the call answers, or the kind of its error."""
    try:
        return client.insert_rows_json(table, rows, retry=None)  # type: ignore[arg-type]  # no retry
    except GoogleAPICallError as error:
        return type(error), error.code
    finally:
        client.close()  # type: ignore[no-untyped-call]  # after an error the server ends the connection


@pytest.mark.parametrize("row", _NASTY, ids=range(len(_NASTY)))
def test_each_value_is_what_arrow_makes_of_it(client: bigquery.Client, row: Mapping[str, Any], request: Any) -> None:
    name = request.node.callspec.id
    plain, by_arrow = _made(client, f"plain_{name}", _PLAIN), _made(client, f"arrow_{name}", _BY_ARROW)
    assert _outcome(client, plain, [row]) == _outcome(client, by_arrow, [row])
    assert _rows(client, plain) == _rows(client, by_arrow)


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
def test_few_and_many(client: bigquery.Client, count: int) -> None:
    """The table says at once how many it has, and a second call adds to them."""
    table = _made(client, f"many_{count}", _PLAIN)
    for calls in (1, 2):
        assert client.insert_rows_json(table, [{"t": f"it's {n}", "n": n} for n in range(count)]) == []
        assert client.get_table(table).num_rows == calls * count
    assert len(_rows(client, table)) == 2 * count


@pytest.mark.parametrize(
    "row", [{"n": "twelve"}, {"n": 2**63}, {"ts": "yesterday"}, {"n": [1]}, {"t": "\ud800"}], ids=range(5)
)
def test_a_value_of_another_type_is_refused_as_by_arrow(
    client: bigquery.Client, row: Mapping[str, Any], request: Any
) -> None:
    """With the good row beside it."""
    name = f"{request.node.callspec.id}_bad"
    plain, by_arrow = _made(client, f"plain_{name}", _PLAIN), _made(client, f"arrow_{name}", _BY_ARROW)
    rows = [{"t": "good"}, row]
    assert _outcome(client, plain, rows) == _outcome(client, by_arrow, rows)
    assert _rows(client, plain) == _rows(client, by_arrow)


def test_rows_do_not_come_in_the_middle_of_another_threads_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait for its end."""
    sent: list[str] = []
    monkeypatch.setitem(transactions._original, "execute", lambda engine, sql, parameters=None: sent.append(sql))
    engine = SimpleNamespace(_write_lock=asyncio.Lock())
    engine.execute, engine.write_lock = partial(transactions.execute, engine), partial(transactions.write_lock, engine)
    catalog = MemoryCatalogRepository()
    catalog._tables["local", "d", "t"] = entry("t", n="INTEGER")
    context = SimpleNamespace(catalog=catalog, engine=engine, snapshots=SimpleNamespace(record_change=lambda *_: None))
    begun = threading.Event()

    def other() -> None:
        with transactions.apart():
            begun.set()
            time.sleep(0.2)  # that the rows would need, were they not to wait
            sent.append("the other's end")

    async def body() -> Any:
        return {"rows": [{"json": {"n": 1}}]}

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(other)
        assert begun.wait(10)
        insert: Any = streamed_rows._as_text(tabledata.insert_all)
        answer = asyncio.run(insert("local", "d", "t", SimpleNamespace(json=body), context))
        done.result()
    assert answer["insertErrors"] == []
    assert [sql for sql in sent if "INSERT" in sql or "end" in sql] == [
        "the other's end",
        'INSERT INTO "local__d"."t" VALUES (1)',
    ]


def test_a_table_that_is_not_there_is_not_found(client: bigquery.Client) -> None:
    assert _outcome(client, "local.d.nowhere", [{"t": "a"}])[1] == 404
