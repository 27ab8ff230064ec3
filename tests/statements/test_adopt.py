"""What `dropmerge adopt` sends, on Google's engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dropmerge.operations.queries import statement
from services.shared.contract.feed import Feed
from services.shared.contract.reader import read_feed
from tests.harness.googlesql import GoogleSql

_FEED = """
feed: goods
objects: incoming/goods/*
format: {type: csv}
table: shop.goods
key: [id, shop]
version: changed
columns:
  - {name: id, type: INT64}
  - {name: shop, type: STRING}
  - {name: price, type: NUMERIC}
  - {name: changed, type: DATE}
"""
_METADATA = "_deleted BOOL, _generation INT64, _object STRING, _load_id STRING"
_PARAMETERS = {"adopted": ("STRING", "adopted")}


def _read(folder: Path) -> Feed:
    (folder / "goods.yaml").write_text(_FEED)
    return read_feed(folder / "goods.yaml")


def _with_rows(values: str) -> GoogleSql:
    warehouse = GoogleSql()
    warehouse.query(f"CREATE TABLE `shop.goods` (id INT64, shop STRING, price INT64, changed DATE, {_METADATA})")
    warehouse.query(f"INSERT INTO `shop.goods` (id, shop, price, changed) VALUES {values}")
    return warehouse


def _row(number: int, price: Any) -> dict[str, Any]:
    return {"id": number, "price": price, "_deleted": False, "_generation": 0, "_object": "", "_load_id": "adopted"}


def test_rows_that_cannot_be_adopted_are_counted(tmp_path: Path) -> None:
    """Each row that lacks a key or the version, and each key of several rows, once."""
    feed = _read(tmp_path)
    day = "DATE '2024-01-01'"
    warehouse = _with_rows(
        f"(1, 'a', 1, {day}), (1, 'a', 1, {day}), (1, 'a', 2, {day}), (1, 'b', 1, {day}), (NULL, NULL, 1, {day}), "
        "(2, 'a', 1, NULL)"
    )
    assert warehouse.query(statement("adopt_counts.sql", feed=feed)) == [
        {"row_count": 6, "incomplete": 2, "doubled": 1}
    ]


def test_rows_get_their_metadata_once_and_a_copy_is_kept_in_the_contracts_types(tmp_path: Path) -> None:
    """Run twice, both statements do the same; a row with metadata keeps its own."""
    feed = _read(tmp_path)
    warehouse = _with_rows("(1, 'a', 1, DATE '2024-01-01'), (2, 'a', NULL, DATE '2024-01-01')")
    for _ in range(2):
        warehouse.query(statement("adopt_rows.sql", feed=feed), _PARAMETERS)
        warehouse.query(statement("adopt_keep.sql", feed=feed, kept="ops.kept"), _PARAMETERS)
        warehouse.query("UPDATE `shop.goods` SET _load_id = 'f' WHERE id = 2")
    rows = warehouse.query("SELECT * EXCEPT (shop, changed) FROM `shop.goods` ORDER BY id")
    assert rows == [_row(1, 1), {**_row(2, None), "_load_id": "f"}]
    (kept,) = warehouse.query("SELECT * EXCEPT (shop, changed) FROM `ops.kept`")
    assert kept == _row(1, 1)
    assert str(kept["price"]) == "1.000000000"
