"""The main table of a feed, its view, and what a merge into it needs beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from google.cloud.bigquery import SchemaField, Table

from services.merge.ledger import create_ledger
from services.merge.lock import create_lock
from services.shared.contract.feed import Feed
from services.shared.contract.order import METADATA
from services.shared.datasets import OPS
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class MainTables:
    warehouse: Warehouse
    project: str
    _ready: set[str] = field(default_factory=set)
    """Feeds whose tables this process has seen."""

    def ensure(self, feed: Feed) -> None:
        """Create datasets, main table, view, ledger and lock where they are missing; once per process and feed."""
        if feed.name in self._ready:
            return
        for dataset in (feed.table.split(".")[0], OPS):
            self.warehouse.create_dataset(dataset)
        main = f"{self.project}.{feed.table}"
        self.warehouse.create_table(_definition(main, feed))
        create_ledger(self.warehouse, self.project)
        create_lock(self.warehouse, self.project, feed)
        self.warehouse.query(_SQL.render("create_current.sql", feed=feed, main=main, current=f"{main}_current"))
        self._ready.add(feed.name)

    def invalidate(self, feed: Feed) -> None:
        """Make the next `ensure` look again."""
        self._ready.discard(feed.name)


def _definition(name: str, feed: Feed) -> Table:
    required = (*feed.key, feed.version)
    columns = [
        SchemaField(
            column.name,
            column.type,
            "REQUIRED" if column.name in required else "NULLABLE",
            description=column.description,
        )
        for column in feed.columns
    ]
    table = Table(name, [*columns, *(SchemaField(one.name, one.type, "REQUIRED") for one in METADATA)])
    # BigQuery clusters by at most four columns (https://cloud.google.com/bigquery/docs/clustered-tables#limitations).
    table.clustering_fields = feed.key[:4]
    return table
