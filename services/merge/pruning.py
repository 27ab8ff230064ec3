"""Which part of a main table a MERGE has to read.

BigQuery bills a MERGE for the whole table, but for blocks that constants in its condition rule out
(https://cloud.google.com/bigquery/docs/querying-clustered-tables). A main table is clustered by its key, so the least
and the greatest key of the loads leave only what lies between. They are bounds, not values: where a text has
characters that do not belong in a statement, a shorter text below or above it serves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.shared.contract.feed import Feed
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)
_MAX_CHARACTERS = 100

Bound = tuple[str, str, str]
"""Operator, type and text of what the first key column is held against."""


def key_range(warehouse: Warehouse, feed: Feed, staging: Sequence[str]) -> list[Bound]:
    """Of the first key column in these tables; none where they have no rows."""
    sql = _SQL.render("key_range.sql", feed=feed, staging=staging)
    (found,) = warehouse.query(sql)
    if found["low"] is None:
        return []
    (kind,) = [column.type for column in feed.columns if column.name == feed.key[0]]
    return bounds(kind, found["low"], found["high"])


def bounds(kind: str, low: Any, high: Any) -> list[Bound]:
    """Conditions that hold for every value from `low` to `high` of a type; none for FLOAT64 and BOOL."""
    match low, high:
        case str(), str():
            return _string_range(low, high)
        case bool(), _:
            return []
        case int() | Decimal() | date(), _:
            return [(">=", kind, _text(low)), ("<=", kind, _text(high))]
    return []


def _text(value: int | Decimal | date) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else format(value, "f" if isinstance(value, Decimal) else "d")


def _string_range(low: str, high: str) -> list[Bound]:
    """Texts are compared by code point: what begins as another text, and ends there, is not above it."""
    found = [(">=", "STRING", _safe_prefix(low))]
    plain = _safe_prefix(high)
    if plain == high:
        return [*found, ("<=", "STRING", high)]
    # Above every text that begins as this one: the same with its last character one higher.
    for end in range(len(plain), 0, -1):
        above = plain[: end - 1] + chr(ord(plain[end - 1]) + 1)
        if _safe_prefix(above) == above:
            return [*found, ("<", "STRING", above)]
    return found


def _safe_prefix(text: str) -> str:
    """The beginning that consists of letters, digits and a few signs."""
    (beginning,) = re.findall(r"\A[\w:. +-]*", text, re.ASCII)
    return str(beginning[:_MAX_CHARACTERS])
