"""The lock of a main table: BigQuery aborts all but one of the transactions that update its one row at once
(https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency)."""

from __future__ import annotations

from pathlib import Path

from services.shared.contract.feed import Feed
from services.shared.datasets import OPS
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)
NOT_READY = "dropmerge: the main table is not as this merge knows it"
"""What a MERGE fails with that finds no row to lock, or another table."""


def lock_table(project: str, feed: Feed) -> str:
    """Feeds that share a main table share its lock, others do not."""
    return f"{project}.{OPS}.lock_{feed.table.replace('.', '_')}"


def create_lock(warehouse: Warehouse, project: str, feed: Feed) -> None:
    """Create table and row if they are not there."""
    for template in ("create_lock.sql", "create_lock_row.sql"):
        warehouse.query(
            _SQL.render(template, lock=lock_table(project, feed), feed=feed, labels=warehouse.labels(feed.name))
        )
