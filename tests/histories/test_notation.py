"""What the histories write is what their oracle reads, and what it reads was worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from tests.harness.changes.notation import POOLS, Column, Notation, read, written

_MARKS = [(None, None), (None, ","), (",", None), (",", "."), (",", " "), (".", "'")]
_NOTATIONS = [
    Notation(nulls, trim, *marks, words, day, moment, moment is not None, "earlier")
    for marks, (nulls, trim), (words, day, moment) in product(
        _MARKS,
        [((), False), (("NA",), True)],
        [(None, None, None), (("Yes", "No"), "%d.%m.%Y", "epoch_ms"), (("true", "0"), "%Y%m%d", None)],
    )
]


def _utc(month: int, day: int, hour: int) -> datetime:
    return datetime(2024, month, day, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize("kind", POOLS)
def test_what_is_written_is_read(kind: str) -> None:
    """In any notation, but that local times lose what a zone needs to tell twice an hour from the next."""
    column, plain = Column("x", kind), Notation()
    for notation, text in product(_NOTATIONS, POOLS[kind][0]):
        assert read(column, notation, written(column, notation, text), False) == read(column, plain, text, False)


@pytest.mark.parametrize(
    ("kind", "notation", "text", "value"),
    [
        ("NUMERIC", Notation(decimal=",", group="."), "1.234.567,891", Decimal("1234567.891")),
        ("NUMERIC", Notation(decimal=","), "-,5", Decimal("-0.5")),
        ("NUMERIC", Notation(decimal=",", group="."), "1.23", None),
        ("INT64", Notation(group=","), "12,34", None),
        ("INT64", Notation(group=","), "1,234", 1234),
        ("BOOL", Notation(words=("Yes", "No")), "true", None),
        ("DATE", Notation(date="%d.%m.%Y"), "1.2.2024", date(2024, 2, 1)),
        ("DATE", Notation(date="%d.%m.%Y"), "2024-02-01", None),
        ("TIMESTAMP", Notation(moment="epoch_ms"), "-0.001", datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
        ("TIMESTAMP", Notation(zone=True), "2024-10-27 02:30:00", None),
        ("TIMESTAMP", Notation(zone=True, twice="earlier"), "2024-10-27 02:30:00", _utc(10, 27, 0)),
        ("TIMESTAMP", Notation(zone=True, twice="later"), "2024-10-27 02:30:00", _utc(10, 27, 1)),
        ("TIMESTAMP", Notation(zone=True, never="earlier"), "2024-03-31T02:30:00", _utc(3, 31, 0)),
        ("TIMESTAMP", Notation(zone=True, never="later"), "2024-03-31T02:30:00", _utc(3, 31, 1)),
        ("TIMESTAMP", Notation(), "2024-03-31T02:30:00", None),
    ],
)  # fmt: skip
def test_texts_by_hand(kind: str, notation: Notation, text: str, value: Any) -> None:
    """None: the text is refused."""
    if value is None:
        with pytest.raises(ValueError):  # noqa: PT011 - the oracle says no reason
            read(Column("x", kind), notation, text, False)
    else:
        assert read(Column("x", kind), notation, text, False) == value
