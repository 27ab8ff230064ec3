"""A load that waits for its MERGE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.cloud.bigquery import Table

from services.shared.contract.feed import Feed
from services.shared.contract.order import column_names
from services.shared.datasets import GENERATION_LABEL
from services.shared.errors import TransientError
from services.shared.warehouse import Warehouse


@dataclass(frozen=True)
class Staged:
    load_id: str
    table: str
    """Its staging table, full name."""
    extra: frozenset[str] = frozenset()
    """Columns of its file that the contract does not have, all STRING."""
    generation: int = 0
    """Of its object, where the feed's files are snapshots."""


def find_staged(warehouse: Warehouse, feed: Feed, load_id: str, table: str) -> Staged:
    """The load in this staging table. Asks for the table's columns where a file may bring some.

    Raises TransientError where the table of a snapshot is gone.
    """
    if feed.unknown_columns != "add" and feed.mode != "snapshot":
        return Staged(load_id, table)
    found = warehouse.find_table(table)
    names = frozenset(one.name for one in found.schema) if found else frozenset()
    extra = names - set(column_names(feed)) if feed.unknown_columns == "add" else frozenset()
    return Staged(load_id, table, extra, _generation(found) if feed.mode == "snapshot" else 0)


def _generation(table: Table | None) -> int:
    if table is None:
        raise TransientError("a staging table was dropped before its MERGE")
    return int(table.labels[GENERATION_LABEL])


def all_extra(loads: Sequence[Staged]) -> Sequence[str]:
    """Columns of these files that the contract does not have, sorted, in small letters: BigQuery ignores case."""
    return sorted({name.lower() for load in loads for name in load.extra})
