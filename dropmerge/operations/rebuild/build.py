"""A main table that is built beside the live one, from the archive, by the services' own code.

To that code it is the table of a feed of its own, whose name no contract can have: it has its own lock, entry and
ledger rows, and no running service knows of it. Its id names its staging tables too, so a build that was interrupted
goes on where it was, and none meets another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from google.cloud.bigquery import Table

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.rebuild.versions import drop_versions
from services.ingest.tables import Tables
from services.merge.entries import Entry, create_entries, entries_table, find_entries
from services.merge.ledger import create_ledger, ledger_table
from services.merge.lock import lock_table
from services.merge.main_table import MainTable, MainTables
from services.shared.contract.feed import Feed
from services.shared.datasets import CONTRACT_LABEL, OPS, STAGING
from services.shared.load import Load
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)
_SECONDS = 6 * 3600.0
"""For one statement: BigQuery's own limit (https://cloud.google.com/bigquery/quotas#query_jobs)."""


@dataclass(frozen=True)
class Build:
    connection: Connection
    contract: Feed
    table: str
    """Dataset and table that is built."""
    purpose: str
    """What tells this build from others of the contract."""

    @cached_property
    def feed(self) -> Feed:
        """The contract, with the built table for its own. A name with __ is no contract's."""
        update = {"name": f"{self.contract.name}__{self.purpose}", "table": self.table}
        feed = self.contract.model_copy(update=update)
        # The rows are those of the contract, whichever table they are in.
        feed.__dict__["fingerprint"] = self.contract.fingerprint
        return feed

    @property
    def project(self) -> str:
        return self.connection.project

    @cached_property
    def warehouse(self) -> Warehouse:
        """With more patience than a service has."""
        return Warehouse(self.connection.warehouse.client, _SECONDS)

    @cached_property
    def main_tables(self) -> MainTables:
        return MainTables(self.warehouse, self.project)

    def ensure(self) -> MainTable:
        """The table, made if it is not there."""
        return self.main_tables.ensure(self.feed)

    def create_ops(self) -> None:
        """Make what the entries and the ledger are kept in, if it is not there."""
        self.warehouse.create_dataset(OPS)
        create_ledger(self.warehouse, self.project)
        create_entries(self.warehouse, self.project)

    def entry(self) -> Entry | None:
        """Of the built table; None where nothing is being built."""
        found = find_entries(self.warehouse, self.project, self.feed)
        return next((one for one in found if one.main_table == self.table), None)

    def ensure_entry(self) -> Entry:
        """Of the built table, made if it is not there."""
        self.ensure()
        built = self.entry()
        assert built is not None
        return built

    def find_table(self) -> Table | None:
        return self.warehouse.find_table(f"{self.project}.{self.table}")

    def is_of(self, entry: Entry) -> bool:
        """Whether an entry is of this very build: the same files, read by the same contract."""
        return (entry.feed, entry.contract) == (self.feed.name, self.contract.fingerprint)

    def start_anew(self) -> None:
        """Drop what another build has left. Raises NotDone where somebody else's table has the name."""
        table = self.find_table()
        if table and CONTRACT_LABEL not in table.labels:
            raise NotDone(
                f"{self.table} exists and was not made by a rebuild, so it was left alone: rename it, then try again"
            )
        self.discard()

    def discard(self) -> None:
        """Drop all that was built; the entry last, so that an interrupted discard is found and repeated."""
        entry = self.entry()
        self.drop_table()
        self.drop_rejected()
        if entry:
            self._drop_staging(entry)
            self.forget(entry)

    def drop_table(self) -> None:
        """Drop the table, its views and the versions of its rows."""
        name = f"{self.project}.{self.table}"
        drop_versions(self.warehouse, name)
        self.warehouse.query(_SQL.render("drop_view.sql", view=f"{name}_current"))
        self.warehouse.drop_table(name)

    def drop_rejected(self) -> None:
        """Drop the rows that were refused."""
        self.warehouse.drop_table(self.rejected_table)

    def forget(self, entry: Entry) -> None:
        """Leave the table, and nothing that says that it is being built."""
        self.warehouse.query(
            _SQL.render("forget_loads.sql", ledger=ledger_table(self.project), table_id=entry.table_id)
        )
        self.drop_lock()
        self.warehouse.query(
            _SQL.render("forget_entry.sql", entries=entries_table(self.project), table_id=entry.table_id)
        )

    def _drop_staging(self, entry: Entry) -> None:
        for name in self.warehouse.list_tables(STAGING, "_"):
            if name.endswith(f"__{entry.table_id}"):
                self.warehouse.drop_table(f"{self.project}.{STAGING}.{name}")

    def drop_lock(self) -> None:
        """Drop the lock of the built table."""
        self.warehouse.drop_table(lock_table(self.project, self.feed))

    def tables(self, load: Load, main: MainTable) -> Tables:
        """The tables that a load passes through."""
        staging = f"{self.project}.{STAGING}"
        return Tables(
            raw=f"{staging}.{load.raw_table(main.table_id)}",
            checked=f"{staging}.{load.checked_table(main.table_id)}",
            staging=self.staging_table(load.load_id, main),
            rejected=self.rejected_table,
        )

    @property
    def rejected_table(self) -> str:
        """Full name of what keeps the rows that this build refuses, until they take the place of the live loads'."""
        return f"{self.project}.{STAGING}._rejected__{self.table.replace('.', '__')}"

    def count_rejected(self) -> int:
        """The rows that failed their checks."""
        if not self.warehouse.table_exists(self.rejected_table):
            return 0
        (counted,) = self.warehouse.query(_SQL.render("count_rejected.sql", rejected=self.rejected_table))
        return int(counted["rejected"])

    def staging_table(self, load_id: str, main: MainTable) -> str:
        """Full name; one that begins with _ is no feed's, so merge neither takes nor drops it."""
        return f"{self.project}.{STAGING}._built_{load_id}__{main.table_id}"
