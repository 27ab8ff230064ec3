"""What is a number where a contract says how numbers are written. That Python and SQL read it alike is for
`tests/corpus/test_texts.py`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.shared.contract.columns import Column
from services.shared.contract.feed import Feed
from services.shared.contract.types import TYPES


@pytest.mark.parametrize(
    ("options", "text", "becomes"),
    [
        ({"decimal": ","}, "80000000,00", "80000000"),
        ({"decimal": ","}, "1.5", None),
        ({"decimal": ","}, "-,5", "-0.5"),
        ({"decimal": "."}, ".097", "0.097"),
        ({}, ".097", None),
        ({"group": ","}, ".097", None),
        ({"decimal": "."}, "5.", None),
        ({"decimal": "."}, ".", None),
        ({"group": ","}, "6,718", "6718"),
        ({"group": ","}, "6718", "6718"),
        ({"group": ","}, "1,234,567.891", "1234567.891"),
        ({"group": ","}, "1,23", None),
        # A decimal comma, where the contract says that a comma parts groups.
        ({"group": ","}, "0,123", None),
        ({"group": ","}, "1234,567", None),
        ({"group": ","}, "12,3456", None),
        ({"group": ","}, "1,234,", None),
        ({"group": ","}, "6,718-", None),
        ({"decimal": ",", "group": "."}, "1.5", None),
        ({"decimal": ",", "group": "."}, "-1.234.567,5", "-1234567.5"),
        ({"group": " "}, "1 234\u00a0567\u202f890", "1234567890"),
        ({"group": " "}, "1  234", None),
        ({"group": "'"}, "1'234\u2019567", "1234567"),
        ({"decimal": ","}, "0,1234567891", None),
        ({"decimal": ","}, "1,5e3", None),
    ],
)
def test_a_number(options: dict[str, str], text: str, becomes: str | None) -> None:
    kind = TYPES["NUMERIC"].with_options(options)
    found = kind.parse(text) if kind.accepts(text) else None
    assert found == (None if becomes is None else Decimal(becomes))


@pytest.mark.parametrize(("text", "becomes"), [("1.234", 1234), ("1.5", None), ("1.234.5", None), ("1234", 1234)])
def test_points_in_a_whole_number(text: str, becomes: int | None) -> None:
    """Part groups of three digits, and nothing else: 1.5 is no 15."""
    kind = TYPES["INT64"].with_options({"group": "."})
    assert (kind.parse(text) if kind.accepts(text) else None) == becomes


def _kinds(format_: dict[str, Any], **column: object) -> dict[str, Any]:
    columns = [
        {"name": "id", "type": "STRING"},
        {"name": "n", "type": "NUMERIC", **column},
        {"name": "i", "type": "INT64"},
    ]
    feed = Feed.model_validate(
        {
            **{"feed": "f", "objects": "f/*", "table": "main.f", "key": ["id"], "version": "_generation"},
            **{"format": {"type": "csv", **format_}, "columns": columns},
        }
    )
    return {one.name: one.kind for one in feed.columns}


def test_a_column_says_both_marks_or_the_format_does() -> None:
    """A decimal point of its own would clash with points that part groups in the file."""
    german = {"decimal": ",", "group": "."}
    assert _kinds(german)["n"] == TYPES["NUMERIC"].with_options(german)
    assert _kinds(german, decimal=".")["n"] == TYPES["NUMERIC"].with_options({"decimal": "."})
    assert _kinds(german)["i"] == TYPES["INT64"].with_options({"group": "."})
    assert _kinds(german)["id"] == TYPES["STRING"]


@pytest.mark.parametrize("kind", TYPES)
def test_a_column_without_options_has_the_sql_that_it_had(kind: str) -> None:
    """Not a step more, nor a parameter."""
    column = Column.model_validate({"name": "v", "type": kind})
    assert (column.kind, column.kind.steps("t"), list(column.kind.parameters())) == (TYPES[kind], (), [])
