"""The built rows put in the live table's place, in steps that may each be interrupted and repeated.

close: no MERGE into the live table commits any more. seal: none into the built table either. place: one statement
replaces the rows. reopen: merges go on, into the table as it is now.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from google.cloud.bigquery import SchemaField, Table

from dropmerge.operations.errors import NotDone
from dropmerge.operations.rebuild.build import Build
from dropmerge.operations.rebuild.live import live_entries
from dropmerge.operations.rebuild.versions import drop_versions
from services.merge.entries import Entry, entries_table, new_entry, write_entry
from services.merge.follow import standard
from services.merge.layout import is_partitioned_as, partition_expression
from services.merge.ledger import ledger_table
from services.merge.lock import create_lock, lock_table
from services.merge.main_table import MainTables, table_labels
from services.shared import tables
from services.shared.contract.feed import Feed
from services.shared.contract.history import versions_table
from services.shared.contract.order import ADOPTED, clustering
from services.shared.datasets import VERSIONS_LABEL
from services.shared.errors import NotFoundError, PermanentError
from services.shared.sql import Templates

_SQL = Templates(Path(__file__).parent)
_ELSEWHERE = "dropmerge: another rebuild has put its rows in place"
_FASTER = "another rebuild of this feed was faster and has replaced the rows"


@dataclass(frozen=True)
class Swap:
    build: Build
    built: Entry
    """Its id is the rebuild's."""

    def close(self) -> None:
        """Lock every merge of the feed out, also where it has no table yet."""
        build = self.build
        if not live_entries(build):
            absent = new_entry(build.contract, uuid.uuid4().hex, None)
            write_entry(build.warehouse, build.project, replace(absent, rebuild=self.built.table_id))
        self._close(build.contract, [one.main_table for one in live_entries(build)])

    def seal(self) -> None:
        """Lock every merge into the built table out, of other processes that rebuild the feed."""
        self._close(self.build.feed, [self.build.table])

    def place(self) -> None:
        """Replace the live table by the built one, and the table of versions, if there is to be one, by the built
        one's.

        Once in a rebuild, whichever process sends it: the statements' jobs are called by the rebuild.
        """
        build = self.build
        if build.contract.history:
            labels = {VERSIONS_LABEL: self.built.table_id}
            self._place(versions_table(self._main), versions_table(build.table), labels)
        self._place(self._main, build.table, {})

    def _place(self, main: str, built: str, labels: Mapping[str, str]) -> None:
        table = self._built_table(built)
        if self.build.entry() is None:
            raise NotDone(_FASTER)
        build = self.build
        sql = _SQL.render(
            "place.sql",
            main=main,
            built=str(table.reference),
            columns=[(one.name, _declared(one), one.mode == "REQUIRED") for one in table.schema],
            partition=partition_expression(build.contract),
            key=clustering(build.contract),
            drops=not self._lay_out(main),
            labels={**table_labels(build.warehouse, build.contract), **labels},
        )
        build.warehouse.create_table_once(f"place-{self.built.table_id}", main, sql)
        placed = build.warehouse.find_table(main)
        if placed:
            placed.schema = table.schema
            build.warehouse.update_table(placed, "schema")

    def reopen(self) -> None:
        """Give the live table the built one's entry: its id, under which the ledger holds every load in it.

        The rows that the build refused take the place of those that its loads had refused before.
        """
        build = self.build
        placed = build.warehouse.find_table(self._main)
        if placed is None:
            raise NotDone(f"{build.contract.table} was dropped during the swap: run this again")
        rejected = tables.table(build.project, "rejected_rows")
        refused = tables.table(build.project, "rejected_rows", build.rejected_table)
        for one in (rejected, refused):
            build.warehouse.create_table(one)
        sql = _SQL.render(
            "reopen.sql",
            rejected=str(rejected.reference),
            refused=str(refused.reference),
            entries=entries_table(build.project),
            ledger=ledger_table(build.project),
            lock=lock_table(build.project, build.feed),
            feed=build.contract,
            built=self.built,
            created=placed.created,
            adopted=ADOPTED,
            elsewhere=_ELSEWHERE,
        )
        try:
            build.warehouse.query(sql)
        except PermanentError as error:
            if isinstance(error, NotFoundError) or _ELSEWHERE in error.detail:
                raise NotDone(_FASTER) from error
            raise
        if not build.contract.history:
            drop_versions(build.warehouse, self._main)
        MainTables(build.warehouse, build.project).ensure(build.contract)

    def _close(self, feed: Feed, tables: Sequence[str]) -> None:
        build = self.build
        locked = [build.contract.model_copy(update={"table": table}) for table in tables]
        for one in locked:
            create_lock(build.warehouse, build.project, one)
        sql = _SQL.render(
            "close.sql",
            entries=entries_table(build.project),
            locks=[(lock_table(build.project, one), one.table) for one in locked],
            feed=feed,
            rebuild=self.built.table_id,
        )
        build.warehouse.query(sql)

    def _lay_out(self, main: str) -> bool:
        """Give the live table the new one's clustering; False where it cannot be laid out like that.

        BigQuery replaces no table by one of another partitioning or clustering
        (https://github.com/dbt-labs/dbt-core/issues/2000), and changes the clustering of one that is there
        (https://cloud.google.com/bigquery/docs/manage-clustered-tables#modifying-cluster-spec).
        """
        live, key = self.build.warehouse.find_table(main), clustering(self.build.contract) or None
        is_partitioned = live is None or is_partitioned_as(self.build.contract, live)
        if live is None or (live.clustering_fields == key and is_partitioned):
            return True
        if not is_partitioned or not {*(key or ())} <= {field.name for field in live.schema}:
            return False
        live.clustering_fields = key
        self.build.warehouse.update_table(live, "clustering_fields")
        return True

    def _built_table(self, name: str) -> Table:
        table = self.build.warehouse.find_table(f"{self.build.project}.{name}")
        if table is None:
            raise NotDone(f"{name} was dropped before its rows were in place: run this again")
        return table

    @property
    def _main(self) -> str:
        return f"{self.build.project}.{self.build.contract.table}"


def abandon(build: Build) -> None:
    """Let merges into the live table go on as before."""
    build.warehouse.query(_SQL.render("abandon.sql", entries=entries_table(build.project), feed=build.contract))


def _declared(field: SchemaField) -> str:
    return f"ARRAY<{standard(field)}>" if field.mode == "REPEATED" else standard(field)
