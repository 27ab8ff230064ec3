"""What the local warehouse finds out of one statement holds for another one of its shape."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import sqlglot
from bqemulator.catalog.memory_repository import MemoryCatalogRepository
from bqemulator.domain.errors import DomainError
from bqemulator.jobs.executor import classify_statement_type
from bqemulator.row_access.identity import CallerIdentity
from bqemulator.scripting import parser
from bqemulator.scripting.ast import SqlStmt
from bqemulator.sql.inner_query import rewrite_and_translate_statement
from bqemulator.sql.table_rewriter import rewrite_table_refs
from bqemulator.sql.translator import SQLTranslator
from hypothesis import given
from hypothesis import strategies as st

from localcloud.warehouse import patches, translation
from localcloud.warehouse.bounded import remembered
from localcloud.warehouse.shapes import by_shape, shape_of
from tests.harness.catalog import entry
from tests.harness.statements.feeds import wide
from tests.harness.statements.statements import send_all, send_views, send_widening

_ID = re.compile("(?<![0-9a-zA-Z])(?:[0-9a-f]{32}|[0-9a-f]{20}|[0-9a-f]{12})(?![0-9a-zA-Z])")
_CALLER = CallerIdentity(principal="user:a@example.com", is_authenticated=False)
_PIECES = st.sampled_from(
    [
        *("0a1b2c3d4e5f", "a12345678901", "b12345678901", "00000000000000000a01", "0123456789abcdef0123456789abcdef"),
        *("'", '"', "`", "'''", '"""', "\\", "--", "#", "/*", "*/", "\n", " ", "(", ">= ", "<= ", "_", ".", "r'", "é"),
        *("mark0000kram", "mark0001kram", "x", "1", "123456789012", "123456789e12", "''", "AND"),
    ]
)


@pytest.fixture
def as_google(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements are translated as the local warehouse does, in this process."""
    monkeypatch.setitem(patches._original, "transpile", sqlglot.transpile)
    monkeypatch.setitem(patches._original, "parse_one", sqlglot.parse_one)
    monkeypatch.setitem(translation._original, "translate", rewrite_and_translate_statement)
    monkeypatch.setattr(sqlglot, "transpile", patches.transpile)


@given(st.lists(_PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_a_shape_has_all_of_its_statement(sql: str) -> None:
    """Its text with the ids in their places is the statement again, whatever that is."""
    shape = shape_of(sql)
    assert shape.restore(shape.text) == sql


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(r"SELECT '\b12345678901' AS a", id="a backspace is no part of an id"),
        pytest.param(r"SELECT '\\b12345678901', r'\b12345678901', b'a12345678901'", id="backslashes"),
        pytest.param("SELECT 'x' >= '''a' , 'b''' AS y", id="a text in three quotes"),
        pytest.param("SELECT '''it's''' , 'a' >= 'b' , \"it's\" >= 'c'", id="quotes in quotes"),
        pytest.param(r"SELECT '\'' , 'foo >= ' , 'bar', 'x' >= 'it\'s'", id="escaped quotes"),
        pytest.param(r"SELECT '\\', 'foo >= ' , 'bar'", id="a backslash before the end"),
        pytest.param("SELECT a12345678901(5), f_a12345678901 (5)", id="functions"),
        pytest.param("SELECT a12345678901, t.a12345678901, `0a1b2c3d4e5f` FROM d.t", id="columns"),
        pytest.param("SELECT JSON_VALUE(j, '$.a12345678901') FROM `d.rows_0a1b2c3d4e5f`", id="a path"),
        pytest.param('SELECT JSON \'{"0a1b2c3d4e5f": 1, "a12345678901": 2}\'', id="JSON"),
        pytest.param("SELECT 123456789e12, 123456789012, 0x0a1b2c3d4e5f, 1.5 >= '2'", id="numbers"),
        pytest.param(
            "SELECT a >= 'x', b <= 'y\"z', c >= '', d <= '%@p$1?' -- >= 'it\n, a >= 'v' FROM d.t", id="bounds"
        ),
        pytest.param("SELECT 'mark0000kram', 'a12345678901', a >= 'x' FROM d.t", id="a text like a mark"),
        pytest.param(
            "SELECT @p, ?, x FROM UNNEST(['0a1b2c3d4e5f']) AS x WITH OFFSET o WHERE x >= '0a'", id="parameters"
        ),
        pytest.param(
            "SELECT * FROM `d.rows_0a1b2c3d4e5f` WHERE t >= TIMESTAMP '2024-01-01' AND t <= '2025'", id="times"
        ),
        pytest.param(
            "CREATE TABLE d.t (a STRING) OPTIONS (description=r'0a1b2c3d4e5f', labels=[('l', 'a12345678901')])"
        ),
    ],
)
def test_a_translation_by_shape_is_that_of_the_statement(as_google: None, sql: str) -> None:
    assert _by_shape(sql) == _by_itself(sql)


def test_production_statements_are_translated_as_by_themselves(as_google: None) -> None:
    """Twice each, with other ids, so that the second translation is made of the first; and one is enough for both."""
    feed = wide(13)
    sent = [sql for sql, _ in [*send_all(feed, 2).sent, *send_widening(feed).sent, *send_views().sent]]
    statements = [one for sql in dict.fromkeys(sent) for one in _parts(sql)]
    others = [_ID.sub(lambda found: _other(found[0]), sql) for sql in statements]
    assert sum(sql != other for sql, other in zip(statements, others, strict=True)) > 10
    for sql, other in zip(statements, others, strict=True):
        assert shape_of(sql).text == shape_of(other).text
        assert (_by_shape(sql), _by_shape(other)) == (_by_itself(sql), _by_itself(other))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE FUNCTION d.f(x INT64) AS (SELECT x)",
        "CREATE OR REPLACE TABLE FUNCTION d.f(x INT64) AS (SELECT x)",
        "CREATE TABLE d.t AS SELECT ';' AS a",
        "SELECT 1; SELECT '0a1b2c3d4e5f' >= 'x'",
        "IF TRUE THEN SELECT '0a1b2c3d4e5f'; END IF",
        "BEGIN TRANSACTION; DELETE FROM `d.rows_0a1b2c3d4e5f` WHERE k >= 'a;b' AND k <= 'c'; COMMIT TRANSACTION;",
    ],
)
def test_a_script_has_the_statements_that_it_has_by_itself(sql: str) -> None:
    assert translation.parse_script(sql).statements == parser.parse_script(sql).statements


@pytest.mark.parametrize("order", [("NUMERIC", "FLOAT64"), ("FLOAT64", "NUMERIC")])
def test_columns_of_the_tables_are_a_part_of_what_is_remembered(as_google: None, order: tuple[str, str]) -> None:
    """Of two tables whose names have one shape, each has its own types: an average of NUMERIC is one of NUMERIC."""
    catalog = MemoryCatalogRepository()
    found = {}
    for number, kind in enumerate(order):
        name = f"rows_{number}a1b2c3d4e5f"
        catalog._tables["local", "d", name] = entry(name, n=kind)
        found[kind] = asyncio.run(_translate(translation.translate, f"SELECT AVG(n) FROM `d.{name}`", catalog))
    assert "DECIMAL(38, 9)" in found["NUMERIC"]
    assert "DECIMAL" not in found["FLOAT64"]


def test_a_view_is_no_table_of_its_columns(as_google: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements that name one are translated each time, as are those for tables by a pattern or for the schema."""
    asked = []

    async def original(sql: str, **_: Any) -> str:
        asked.append(sql)
        return sql

    monkeypatch.setitem(translation._original, "translate", original)
    catalog = MemoryCatalogRepository()
    view = entry("v_0a1b2c3d4e5f", table_type="VIEW", n="INT64")
    catalog._tables["local", "d", view.table_id] = view
    statements = [
        "SELECT n FROM `d.v_0a1b2c3d4e5f`",
        "SELECT n FROM `d.rows_*` WHERE _TABLE_SUFFIX = 'a'",
        "SELECT 1 FROM d.INFORMATION_SCHEMA.TABLES",
    ]
    for sql in statements:
        asyncio.run(_translate(translation.translate, sql, catalog))
    assert asked == statements


def test_what_the_catalog_keeps_of_a_statement_has_its_texts(as_google: None) -> None:
    """Raw ones too, and those of another statement of the shape."""
    for text in ("0a1b2c3d4e5f", "a12345678901"):
        sql = f"CREATE TABLE d.`t_{text}` (a STRING) OPTIONS (description=r'{text}', labels=[('l', '{text}')])"
        assert translation.head(sql, "bigquery").sql("bigquery").count(text) == 3


def test_an_error_names_what_is_there(as_google: None) -> None:
    with pytest.raises(DomainError, match="0a1b2c3d4e5f"):
        by_shape(lambda sql, _: rewrite_table_refs(sql, "local"))('SELECT 1 FROM "!0a1b2c3d4e5f"."t"', 1)


def test_what_is_remembered_is_bounded() -> None:
    """In characters too; what was asked least recently is asked again."""
    asked = []
    ask = remembered(most_characters=300)(lambda text: asked.append(text[0]))
    for letter in "abcadab":
        ask(letter * 100)
    assert "".join(asked) == "abcdb"


def _parts(sql: str) -> Iterator[str]:
    statements = parser.parse_script(sql).statements
    if len(statements) > 1:
        assert translation.parse_script(sql).statements == statements
    for one in statements:
        assert isinstance(one, SqlStmt)
        if not re.match("(BEGIN|COMMIT) TRANSACTION", one.sql):
            yield one.sql


def _other(text: str) -> str:
    return text.translate(str.maketrans("0123456789abcdef", "89abcdef01234567"))


def _by_shape(sql: str) -> tuple[str, str, str]:
    translated = asyncio.run(_translate(translation.translate, sql))
    return translated, _REFS(translated, "local"), _KIND(sql)


def _by_itself(sql: str) -> tuple[str, str, str]:
    translated = asyncio.run(_translate(rewrite_and_translate_statement, sql))
    return translated, rewrite_table_refs(translated, "local"), classify_statement_type(sql)


_REFS = by_shape(rewrite_table_refs)
_KIND = by_shape(classify_statement_type)


async def _translate(translate: Any, sql: str, catalog: Any = None) -> str:
    ctx = SimpleNamespace(catalog=catalog or MemoryCatalogRepository(), snapshots=None, engine=None)
    done = await translate(sql, project_id="local", ctx=ctx, caller=_CALLER, translator=SQLTranslator())
    assert isinstance(done, str)
    return done
