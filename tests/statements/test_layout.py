"""G1: what a table is clustered and partitioned by decides what a MERGE reads, and no row, on Google's own engine."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from services.merge.pruning import key_range
from services.merge.statement import staging_name
from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import Texts, merge, stage

_FIRST = 1751328000000000
_LAYOUTS: dict[str, dict[str, Any]] = {
    "by key": {},
    "partition in the key": {"partition_by": {"column": "day", "by": "month"}},
    "cluster by the partition's column": {"cluster_by": ["day", "id"], "partition_by": {"column": "day"}},
    "partition outside the key": {"partition_by": {"column": "paid", "by": "day"}},
    "cluster outside the key": {"cluster_by": ["paid", "id"]},
}
_FILES: list[list[Texts]] = [
    [
        {"id": "a", "day": "2025-01-31", "paid": "2025-02-01", "v": "1"},
        {"id": "b", "day": "1959-12-31", "paid": "", "v": "1"},
        {"id": "c", "day": "9999-12-31", "paid": "2025-02-01", "v": "1"},
    ],
    # Rows move to other days of payment, and to none; keys lie between, before and after those that are there.
    [
        {"id": "a", "day": "2025-01-31", "paid": "2025-03-01", "v": "2"},
        {"id": "b", "day": "1959-12-31", "paid": "2025-03-02", "v": "2"},
        {"id": "a", "day": "2025-02-01", "paid": "2025-03-01", "v": "1"},
    ],
    [
        {"id": "a", "day": "2025-01-31", "paid": "", "v": "3"},
        {"id": "0", "day": "0001-01-01", "paid": "2025-03-03", "v": "1"},
    ],
    [{"id": "c", "day": "9999-12-31", "paid": "2025-01-01", "v": "0"}],
]


def _feed(history: bool = False, **more: Any) -> Feed:
    columns = [
        {"name": "id", "type": "STRING"},
        {"name": "day", "type": "DATE"},
        {"name": "paid", "type": "DATE"},
        {"name": "v", "type": "INT64"},
    ]
    words = {"feed": "f", "objects": "x/*", "format": {"type": "csv"}, "table": "main.f", "columns": columns}
    return Feed.model_validate({**words, "key": ["id", "day"], "version": "v", "history": history, **more})


def _load(number: int) -> Load:
    return Load("f", ObjectGeneration("landing", f"{number}.csv", _FIRST + number))


def _rows(feed: Feed, order: tuple[int, ...]) -> list[list[tuple[str, ...]]]:
    """Of the main table, and of its versions, once the files were merged in this order, each alone."""
    warehouse = GoogleSql()
    for number in order:
        stage(warehouse, feed, _load(number), _FILES[number])
        assert merge(warehouse, feed, _load(number)) == "merged"
    tables = [feed.table, *([f"{feed.table}_versions"] if feed.history else [])]
    found = [warehouse.query(f"SELECT id, day, paid, v FROM `local.{name}`") for name in tables]
    return [sorted(tuple(str(one) for one in row.values()) for row in rows) for rows in found]


@cache
def _plain(history: bool) -> list[list[tuple[str, ...]]]:
    """Of a table that is laid out by its key alone."""
    return _rows(_feed(history), (0, 1, 2, 3))


@pytest.mark.parametrize(
    ("layout", "history"),
    [*((layout, False) for layout in _LAYOUTS if layout != "by key"), ("partition in the key", True)],
)
def test_g1_a_layout_decides_no_row(layout: str, history: bool) -> None:
    """Keys are there once, with their newest row, whatever other column moved and whichever file came first."""
    plain = _plain(history)
    assert len(plain[0]) == 5
    assert _rows(_feed(history, **_LAYOUTS[layout]), (2, 0, 3, 1)) == plain


def test_one_query_finds_the_bounds_of_both_columns() -> None:
    """The least and the greatest value of each, of all tables; none of a column that is not in the key."""
    found = {}
    for name, layout in _LAYOUTS.items():
        warehouse, feed = GoogleSql(), _feed(**layout)
        for number in (1, 2):
            stage(warehouse, feed, _load(number), _FILES[number])
        found[name] = key_range(warehouse, feed, [staging_name("local", feed, _load(n).load_id) for n in (1, 2)])
    ids = [("id", ">=", "'0'"), ("id", "<=", "'b'")]
    days = [("day", ">=", "DATE '0001-01-01'"), ("day", "<=", "DATE '2025-02-01'")]
    assert found == {
        "by key": ids,
        "partition in the key": [*ids, *days],
        "cluster by the partition's column": days,
        "partition outside the key": ids,
        "cluster outside the key": [],
    }
