"""Which loads are applied, and the tables that a merge needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.cloud import bigquery

from services.shared.contract.feed import Feed
from services.shared.contract.order import METADATA
from services.shared.datasets import OPS
from services.shared.sql import Templates
from services.shared.tables import table
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class Ledger:
    warehouse: Warehouse
    project: str
    _ready: set[str] = field(default_factory=set)

    @property
    def table(self) -> str:
        return f"{self.project}.{OPS}.ledger"

    def lock(self, feed: Feed) -> str:
        """The lock's table: feeds that share a main table share it, others do not."""
        return f"{self.project}.{OPS}.lock_{feed.table.replace('.', '_')}"

    def applied(self, feed: str, load_ids: Sequence[str]) -> set[str]:
        sql = _SQL.render("applied.sql", ledger=self.table, feed=feed, load_ids=load_ids)
        return {row["load_id"] for row in self.warehouse.query(sql)}

    def ensure(self, feed: Feed) -> None:
        """Create dataset, tables, view and lock row where missing; once a process and feed."""
        if feed.name in self._ready:
            return
        dataset, _ = feed.table.split(".")
        for name in (dataset, OPS):
            self.warehouse.create_dataset(name)
        main = f"{self.project}.{feed.table}"
        self.warehouse.create_table(_main_table(main, feed))
        self.warehouse.create_table(table(self.project, "ledger"))
        for template in (
            "create_lock.sql",
            "create_lock_row.sql",
            "create_current.sql",
        ):
            self.warehouse.query(
                _SQL.render(
                    template,
                    feed=feed,
                    main=main,
                    current=f"{main}_current",
                    ledger=self.table,
                    lock=self.lock(feed),
                )
            )
        self._ready.add(feed.name)

    def invalidate(self, feed: Feed) -> None:
        """Make the next `prepare` look again."""
        self._ready.discard(feed.name)


def _main_table(name: str, feed: Feed) -> bigquery.Table:
    columns = [
        bigquery.SchemaField(
            column.name,
            column.type,
            "REQUIRED" if column.name in (*feed.key, feed.version) else "NULLABLE",
            description=column.description,
        )
        for column in feed.columns
    ]
    metadata = [bigquery.SchemaField(one.name, one.type, "REQUIRED") for one in METADATA]
    main = bigquery.Table(name, schema=columns + metadata)
    # BigQuery clusters by at most four columns.
    main.clustering_fields = feed.key[:4]
    return main
