"""G1: what bounds leave out of a MERGE cannot be one of its keys, and nothing from outside is pasted as it is."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.contract.types import TYPES

STRING = TYPES["STRING"]


def _holds(value: str, bound: tuple[str, str]) -> bool:
    """As BigQuery compares: by code point."""
    operator, quoted = bound
    text = quoted.removeprefix("'").removesuffix("'")
    return {">=": value >= text, "<=": value <= text, "<": value < text}[operator]


_texts = st.text(st.one_of(st.sampled_from("aAzZ09 _:.+-`'\\é\n\x00\U0010ffff"), st.characters()), max_size=8)


@given(st.lists(_texts | st.text("az09", min_size=90, max_size=120), min_size=1, max_size=5))
def test_g1_every_text_lies_within_its_bounds(texts: list[str]) -> None:
    """The least, the greatest, and every text between are within the bounds."""
    found = STRING.bounds(min(texts), max(texts))
    assert all(_holds(text, bound) for text in texts for bound in found)


@given(_texts, _texts)
def test_g1_bounds_are_plain(one: str, other: str) -> None:
    """Bounds of any text hold only characters that a literal may have."""
    for _, quoted in STRING.bounds(min(one, other), max(one, other)):
        assert quoted[0] == quoted[-1] == "'"
        assert set(quoted[1:-1]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:. +-")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("customer-0100", "customer-0199", [(">=", "customer-0100"), ("<=", "customer-0199")]),
        ("a'b", "c'd", [(">=", "a"), ("<", "d")]),
        ("é", "é", [(">=", "")]),
        ("a", "zé", [(">=", "a")]),
        ("a", "5zé", [(">=", "a"), ("<", "6")]),
        ("", "", [(">=", ""), ("<=", "")]),
    ],
)
def test_g1_bounds_are_as_narrow_as_they_can_be(low: str, high: str, expected: list[tuple[str, str]]) -> None:
    assert STRING.bounds(low, high) == [(operator, f"'{text}'") for operator, text in expected]


@pytest.mark.parametrize(
    ("kind", "low", "high", "sql"),
    [
        ("INT64", -(2**63), 7, "k >= -9223372036854775808 k <= 7"),
        ("NUMERIC", Decimal("-0.5"), Decimal("1E+3"), "k >= NUMERIC '-0.5' k <= NUMERIC '1000'"),
        ("DATE", date(1, 1, 1), date(9999, 12, 31), "k >= DATE '0001-01-01' k <= DATE '9999-12-31'"),
        (
            "TIMESTAMP",
            datetime(2025, 1, 1, tzinfo=UTC),
            datetime(2025, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            "k >= TIMESTAMP '2025-01-01 00:00:00+00:00' k <= TIMESTAMP '2025-01-01 00:00:00.000001+00:00'",
        ),
        ("FLOAT64", 0.1, 0.2, ""),
        ("BOOL", False, True, ""),
    ],
)
def test_g1_bounds_of_each_type(kind: str, low: Any, high: Any, sql: str) -> None:
    assert " ".join(f"k {operator} {text}" for operator, text in TYPES[kind].bounds(low, high)) == sql
