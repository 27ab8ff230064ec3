"""Feeds without a version: the newest file wins, on Google's own engine."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from services.shared.contract.feed import Feed
from services.shared.contract.order import ranking
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import Texts, check, merge, stage

_FIRST = 1751328000000000
_FEED = Feed.model_validate(
    {
        "feed": "prices",
        "objects": "x/*",
        "format": {"type": "csv"},
        "table": "main.prices",
        "key": ["sku"],
        "version": "_generation",
        "delete": {"column": "op", "equals": "D"},
        "columns": [
            {"name": "sku", "type": "STRING"},
            {"name": "price", "type": "NUMERIC", "check": "price > 0"},
            {"name": "seen", "type": "DATE", "mode": "REQUIRED"},
        ],
    }
)


def _row(sku: str, price: str, op: str = "", seen: str = "2025-01-01") -> Texts:
    return {"sku": sku, "price": price, "seen": seen, "op": op}


def _load(number: int) -> Load:
    return Load("prices", ObjectGeneration("landing", f"{number}.csv", _FIRST + number))


def _merged(files: Sequence[list[Texts]], groups: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Price of each key once these files are merged, by their numbers; a tombstone has none."""
    warehouse = GoogleSql()
    for group in groups:
        for number in group:
            stage(warehouse, _FEED, _load(number), files[number])
        assert merge(warehouse, _FEED, _load(group[0])) == "merged"
    found = warehouse.query("SELECT * FROM `local.main.prices`")
    return {row["sku"]: "deleted" if row["_deleted"] else float(row["price"]) for row in found}


def test_g1_each_step_of_the_order_is_there_once() -> None:
    assert [rank.name for rank in ranking(_FEED)] == ["_generation", "_deleted", "price", "seen", "_object"]


def test_g1_the_newest_file_wins_whatever_the_order() -> None:
    """Merged alone in each order, and in one group; a price that fell is not lost."""
    files = [[_row("a", "9"), _row("b", "1")], [_row("a", "5"), _row("c", "1")], [_row("a", "7")]]
    orders = [[[number] for number in order] for order in itertools.permutations(range(3))]
    tables = [_merged(files, groups) for groups in (*orders, [[0, 1, 2]])]
    assert tables == [{"a": 7.0, "b": 1.0, "c": 1.0}] * 7


def test_g1_rows_of_one_file_are_told_apart_by_their_values() -> None:
    """A delete before the others, then the greatest in the contract's order."""
    rows = [_row("a", "2"), _row("a", "10"), _row("b", "3"), _row("b", "", "D"), _row("a", "9")]
    for given in itertools.islice(itertools.permutations(rows), None, None, 15):
        assert _merged([list(given)], [[0]]) == {"a": 10.0, "b": "deleted"}


def test_g3_a_delete_is_undone_by_a_newer_file_only() -> None:
    files = [[_row("a", "1")], [_row("a", "", "D")], [_row("a", "2")]]
    assert _merged(files, [[1], [0]]) == {"a": "deleted"}
    assert _merged(files, [[2], [1], [0]]) == {"a": 2.0}


def test_g7_a_delete_needs_its_key_only() -> None:
    rows = [_row("a", "x", "D", ""), _row("", "1", "D"), _row("a", "1", "", ""), _row("a", "-1", "", "9999-12-31")]
    feed = _FEED.model_copy(update={"bad_rows": _FEED.bad_rows.model_copy(update={"at_most": 3})})
    found = check(GoogleSql(), feed, _load(0), rows)
    assert [row["_reasons"] for row in found] == [
        *([], ["missing_value: sku"], ["missing_value: seen"], ["check_failed: price"])
    ]
