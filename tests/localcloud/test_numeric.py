"""A text becomes the NUMERIC that it became by DuckDB's slow cast, and that Google's engine makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot
from bqemulator.sql.translator import SQLTranslator
from hypothesis import example, given, settings
from hypothesis import strategies as st

from localcloud.warehouse import patches
from tests.harness.googlesql import GoogleSql

_DIGITS = st.text("0123456789", max_size=12) | st.sampled_from(["9" * 9, "9" * 10, "9" * 19, "9" * 29, "0" * 30, "5"])
_PLAIN = st.tuples(
    st.sampled_from(["", "-", "+"]),
    _DIGITS,
    st.sampled_from(["", "."]),
    _DIGITS,
    st.sampled_from(["", "5", "49", "50"]),
).map("".join)
_NASTY = st.tuples(
    st.sampled_from(["", " ", "\t", "\n", "--", "_"]),
    _PLAIN,
    st.sampled_from(
        ["", "e0", "E2", "e-9", "e+20", "E-30", "e", "_", "_1", ".", ",5", "x", "%", "L", "\N{ARABIC-INDIC DIGIT ONE}"]
    ),
    st.sampled_from(["", " ", "\n", "\N{NO-BREAK SPACE}", "\0"]),
).map("".join)
_EDGES = [
    # Of a number with an exponent the narrow cast loses digits.
    *("981.6546109573237277E6", "1.069110238538226652E9", "26391221.45597560371E2"),
    *("0.0000000005", "-0.0000000005", "0.00000000049999999999999999999999999999", "999999999.9999999994", "-0"),
    *("999999999.9999999995", "-999999999.9999999995", "999999999.999999999", "1000000000", "-1000000000", ""),
    *(
        "99999999999999999999999999999.999999999",
        "99999999999999999999999999999.9999999995",
        "1e-10",
        "5e-10",
        "4.9e-10",
    ),
    *(
        "1e28",
        "1e29",
        ".5",
        "5.",
        ".",
        "+",
        "-",
        "+-1",
        "1 2",
        "nan",
        "inf",
        "Infinity",
        "NULL",
        "0x1F",
        "1_0",
        "\N{FULLWIDTH DIGIT ONE}",
    ),
    *("00000000000000000000000000000000000000001.5", "0.000000000000000000000000000000000000000000000001", "1E0"),
]


@pytest.fixture(scope="module")
def translated() -> str:
    """The statement that the local warehouse runs for a question."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(patches._original, "transpile", sqlglot.transpile)
        patch.setattr(sqlglot, "transpile", patches.transpile)
        sql: Any = SQLTranslator().translate("SELECT SAFE.PARSE_NUMERIC(t) AS n FROM texts").unwrap()
    assert "DECIMAL(18, 9)" in sql
    return str(sql)


def _by_duckdb(sql: str, texts: Sequence[str | None]) -> list[Decimal | None]:
    with duckdb.connect() as database:
        database.execute("CREATE TABLE texts (t VARCHAR)")
        database.execute("INSERT INTO texts SELECT UNNEST(?::VARCHAR[])", [list(texts)])
        answer = database.execute(sql)
        assert [str(column[1]) for column in answer.description or ()] == ["DECIMAL(38,9)"]
        return [row[0] for row in answer.fetchall()]


@given(st.lists(_PLAIN | _NASTY | st.text(max_size=4), min_size=1, max_size=40))
@example(_EDGES)
@settings(max_examples=150)
def test_the_fast_cast_gives_the_value_of_the_slow_one(translated: str, texts: list[str]) -> None:
    slow = _by_duckdb("SELECT TRY_CAST(t AS DECIMAL(38, 9)) FROM texts", [*texts, None])
    assert _by_duckdb(translated, [*texts, None]) == slow
    # In other order and number: DuckDB casts a column as a whole.
    assert _by_duckdb(translated, [*reversed(texts), *texts]) == [*reversed(slow[:-1]), *slow[:-1]]


@given(st.lists(_PLAIN.filter(lambda text: any(map(str.isdigit, text))), min_size=1, max_size=40))
@settings(max_examples=15, deadline=None)
def test_plain_numbers_are_what_google_makes_of_them(translated: str, texts: list[str]) -> None:
    """Halves are rounded away from zero; what does not fit is none."""
    google = GoogleSql()
    google.load("local.d.texts", ["n", "t"], [[str(number), text] for number, text in enumerate(texts)])
    rows: list[dict[str, Any]] = google.query(
        "SELECT n, CAST(SAFE.PARSE_NUMERIC(t) AS STRING) AS v FROM `local.d.texts`"
    )
    values = {int(row["n"]): row["v"] and Decimal(row["v"]) for row in rows}
    assert _by_duckdb(translated, texts) == [values[number] for number in range(len(texts))]
