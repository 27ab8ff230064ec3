"""The story of a verification: the live table's files into a table of its own, and the two compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.rebuild.archive import pinned
from dropmerge.operations.rebuild.build import Build
from dropmerge.operations.rebuild.live import live_entries, merged_loads
from dropmerge.operations.rebuild.patience import patiently
from dropmerge.operations.rebuild.taking import Refused, Taking
from services.merge.entries import Entry
from services.merge.follow import identity, standard
from services.merge.ledger import ledger_table
from services.shared.contract.feed import Feed
from services.shared.contract.history import version_key, versions_table
from services.shared.contract.order import ADOPTED, as_text, ranking
from services.shared.datasets import STAGING
from services.shared.errors import NotFoundError, TransientError
from services.shared.sql import Templates, identifier

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class Difference:
    """Of one row."""

    table: str
    """The main table, or the one that keeps the versions of its rows."""
    what: str
    """missing, extra, brought_back, deleted or changed."""
    key: Mapping[str, Any]
    columns: Mapping[str, tuple[Any, Any]]
    """Those that differ: the live value and the expected one."""
    load_id: str
    """Of the file that the row should be from; of an extra one, that it says it is from."""
    object: str
    generation: int
    merged_at: datetime | None
    """When the file was first merged: since then at the earliest the row differs."""


@dataclass(frozen=True)
class Verified:
    table: str
    files: int
    counts: Mapping[str, int]
    """Of all rows that differ, by how they do."""
    other_contracts: Mapping[str, int]
    """Of these, rows that another contract read than today's, by its fingerprint."""
    listed: Sequence[Difference]
    refused: Sequence[Refused]
    gone: Sequence[str]
    """Ids of merged loads that the archive has no copy of."""
    not_compared: Sequence[str]
    """Columns of which the live table has none, or one of another type."""

    @property
    def is_equal(self) -> bool:
        return not (self.counts or self.refused or self.gone or self.not_compared)


@dataclass(frozen=True)
class Verification:
    connection: Connection
    contract: Feed
    limit: int = 100
    """Differences that are listed, at most."""
    tell: Callable[[str, int], None] = lambda step, count: None

    @cached_property
    def build(self) -> Build:
        """Where tables expire by themselves, should the next run never come."""
        return Build(self.connection, self.contract, f"{STAGING}._verify_{self.contract.name}", "verify")

    def run(self) -> Verified:
        """Compares what the live table's files make with the table. Raises NotDone where that means nothing."""
        self.build.create_ops()
        live = self._live()
        self._clear()
        began = patiently(self.build.ensure).table_id
        try:
            found = self._verify(live)
        except (NotFoundError, TransientError):
            self._require_own(began)
            raise
        self._require_own(began)
        self._clear()
        return found

    def _verify(self, live: Entry) -> Verified:
        taking = Taking(self.build, self.tell)
        files, gone = self._take(taking, live)
        built = patiently(self.build.ensure_entry)
        pairs = self._pairs()
        not_compared = [name for pair in pairs for name in self._compare(live, built, pair)]
        return self._found(files, gone, list(taking.refused.values()), list(dict.fromkeys(not_compared)), pairs)

    def _pairs(self) -> list[_Pair]:
        pairs = [_Pair(self.contract.table, self.build.table, self.contract.key, self._purged_before())]
        if self.contract.history:
            # No tombstone of a version is purged: it ends the version before.
            names = versions_table(self.contract.table), versions_table(self.build.table)
            pairs.append(_Pair(*names, version_key(self.contract), None))
        return pairs

    def _require_own(self, table_id: str) -> None:
        """Raises NotDone where another run began anew: half its rows are no differences."""
        built = self.build.entry()
        if built is None or built.table_id != table_id:
            name = self.contract.name
            raise NotDone(f"`dropmerge verify {name}` was started again in the meantime: wait for that run to end")

    def _live(self) -> Entry:
        feed = self.contract
        live = live_entries(self.build)
        if not live or not self.build.warehouse.table_exists(self._main):
            raise NotDone(f"{feed.table} does not exist or has no merged files yet: there is nothing to verify")
        (entry, *_) = live
        if entry.main_table != feed.table:
            raise NotDone(f"{feed.name} was merged into {entry.main_table}, but its contract names {feed.table}")
        if entry.identity != identity(feed):
            raise NotDone(
                f"the rows of {feed.table} have {entry.identity}, but the contract says {identity(feed)}: they "
                f"cannot be compared. Run `dropmerge rebuild {feed.name}` first"
            )
        if entry.rebuild:
            raise NotDone(f"{feed.table} is being rebuilt: run `dropmerge rebuild {feed.name}` to finish")
        return entry

    def _take(self, taking: Taking, live: Entry) -> tuple[int, Sequence[str]]:
        """How many files the live table has, and the ids of those that are gone."""
        wanted = merged_loads(self.build, [live]).keys()
        files = [one for one in pinned(self.connection, self.contract.name) if one.load_id in wanted]
        self.tell("found", len(files))
        taking.take_adopted([self.contract.table])
        taking.take(files)
        return len(files), sorted(wanted - {one.load_id for one in files} - {ADOPTED})

    def _compare(self, live: Entry, built: Entry, pair: _Pair) -> list[str]:
        """Writes down every difference; returns the columns that could not be compared."""
        main, expected = self._full(pair.live), self._full(pair.built)
        there = {one.name.lower(): (standard(one), one.mode == "REPEATED") for one in self._schema(main)}
        wanted = self._schema(expected)
        comparable = [one for one in wanted if there.get(one.name.lower()) == (standard(one), one.mode == "REPEATED")]
        sql = _SQL.render(
            "differences.sql" if self.contract.key else "differences_of_bags.sql",
            differences=_differences(expected),
            feed=self.contract,
            key_columns=pair.key,
            main=main,
            built=expected,
            ledger=ledger_table(self.connection.project),
            live_id=live.table_id,
            built_id=built.table_id,
            ranking=ranking(self.contract),
            columns=[(one.name, *(_text(alias, one) for alias in ("_l", "_e"))) for one in comparable],
            purged_before=pair.purged_before,
        )
        self.tell("compared", 0)
        patiently(lambda: self.build.warehouse.query(sql))
        return [one.name for one in wanted if one not in comparable]

    def _found(
        self,
        files: int,
        gone: Sequence[str],
        refused: Sequence[Refused],
        columns: Sequence[str],
        pairs: Sequence[_Pair],
    ) -> Verified:
        counts, contracts, listed = Counter[str](), Counter[str](), list[Difference]()
        for pair in pairs:
            differences = _differences(self._full(pair.built))
            for row in self.build.warehouse.query(_SQL.render("count_differences.sql", differences=differences)):
                counts[row["what"]] += row["n"]
                if row["what"] != "extra" and row["contract"] != self.contract.fingerprint:
                    contracts[row["contract"] or "of an earlier release"] += row["n"]
            sql = _SQL.render("list_differences.sql", differences=differences, most=self.limit - len(listed))
            listed += [_difference(pair.live, row) for row in self.build.warehouse.query(sql)]
        return Verified(self.contract.table, files, counts, contracts, listed, refused, gone, columns)

    def _purged_before(self) -> datetime | None:
        rows = self.connection.query("last_purge.sql", {"feed": ("STRING", self.contract.name)})
        return rows[0]["before"] if rows else None

    def _clear(self) -> None:
        self.build.discard()
        for built in (self.build.table, versions_table(self.build.table)):
            self.build.warehouse.drop_table(_differences(self._full(built)))

    def _schema(self, table: str) -> Sequence[Any]:
        found = self.build.warehouse.find_table(table)
        if found is None:
            raise NotDone(f"{table} was dropped while it was being verified")
        return list(found.schema)

    @property
    def _main(self) -> str:
        return f"{self.connection.project}.{self.contract.table}"

    def _full(self, table: str) -> str:
        return f"{self.connection.project}.{table}"


def _text(alias: str, field: Any) -> str:
    return as_text(f"{alias}.{identifier(field.name)}", standard(field), field.mode == "REPEATED")


@dataclass(frozen=True)
class _Pair:
    """A live table and what its files make of it."""

    live: str
    built: str
    key: Sequence[str]
    purged_before: datetime | None
    """When tombstones that were merged before are gone."""


def _differences(built: str) -> str:
    return f"{built}_differences"


def _difference(table: str, row: Any) -> Difference:
    columns = {name: tuple(pair) for name, pair in json.loads(row["columns"] or "{}").items()}
    return Difference(
        table,
        row["what"],
        json.loads(row["key"]),
        columns,
        row["load_id"],
        row["object"],
        row["generation"],
        row["merged_at"],
    )
