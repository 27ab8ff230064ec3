"""Which part of a main table a MERGE has to read.

BigQuery bills a MERGE for the whole table, but for partitions and blocks that constants in its condition rule out
(https://cloud.google.com/bigquery/docs/querying-partitioned-tables, …/querying-clustered-tables). So the least and the
greatest value among the loads, of what the table is clustered by first and of what it is partitioned by, leave only
what lies between. They are bounds, not values: where a text has characters that do not belong in a statement, a
shorter text below or above it serves.

Only columns of the key have bounds: in the row that the table has for a key any other column may have another value,
and a MERGE that does not see that row would write a second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.shared.contract.feed import Feed
from services.shared.contract.order import GENERATION, bounded
from services.shared.contract.types import type_named
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)

Bound = tuple[str, str, str]
"""A column of the main table, and the operator and literal that it is held against."""


def key_range(warehouse: Warehouse, feed: Feed, staging: Sequence[str]) -> list[Bound]:
    """Of the rows in these tables, by one query; none where no column can be bounded, or there is no row."""
    columns = bounded(feed)
    if not columns:
        return []
    (found,) = warehouse.query(_SQL.render("key_range.sql", columns=columns, staging=staging))
    return [bound for n, column in enumerate(columns, 1) for bound in _bounds(feed, column, found, n)]


def _bounds(feed: Feed, column: str, found: Any, number: int) -> list[Bound]:
    low, high = found[f"low_{number}"], found[f"high_{number}"]
    if low is None:
        return []
    kind = type_named(GENERATION.type) if column == GENERATION.name else feed.type_of(column)
    return [(column, *one) for one in kind.bounds(low, high)]
