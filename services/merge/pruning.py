"""Which part of a main table a MERGE has to read.

BigQuery bills a MERGE for the whole table, but for blocks that constants in its condition rule out
(https://cloud.google.com/bigquery/docs/querying-clustered-tables). A main table is clustered by its key, so the least
and the greatest key of the loads leave only what lies between. They are bounds, not values: where a text has
characters that do not belong in a statement, a shorter text below or above it serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.shared.contract.feed import Feed
from services.shared.contract.order import GENERATION, clustering
from services.shared.contract.types import type_named
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)

Bound = tuple[str, str]
"""Operator and literal that the first column of the table's clustering is held against."""


def key_range(warehouse: Warehouse, feed: Feed, staging: Sequence[str]) -> list[Bound]:
    """Of what the main table is clustered by first, in these tables; none where that is nothing, or no row is."""
    if not clustering(feed):
        return []
    column = clustering(feed)[0]
    sql = _SQL.render("key_range.sql", column=column, staging=staging)
    (found,) = warehouse.query(sql)
    if found["low"] is None:
        return []
    kind = type_named(GENERATION.type) if column == GENERATION.name else feed.type_of(column)
    return kind.bounds(found["low"], found["high"])
