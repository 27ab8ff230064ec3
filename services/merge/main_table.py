"""The main table of a feed, held against its contract before each MERGE: made, followed, or refused."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from google.cloud.bigquery import Table

from services.merge.entries import Entry, create_entries, find_entries, new_entry, take_over_ledger, write_entry
from services.merge.follow import Changes, changed, changes, definition, identity
from services.merge.layout import lay_out, new_clustering, other_partitioning
from services.merge.ledger import create_ledger, has_loads
from services.merge.lock import create_lock
from services.merge.replace_view import replace_view
from services.shared.contract.feed import Feed
from services.shared.contract.history import history_view, of_versions, version_columns, versions_table
from services.shared.contract.order import DELETED, METADATA, ranking
from services.shared.datasets import CONTRACT_LABEL, OPS, VERSIONS_LABEL
from services.shared.errors import PermanentError, TransientError
from services.shared.labels import service_labels
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)
ADOPTION = "dropmerge_adoption"
"""Label of a main table that was there before: `begun` while its rows get their metadata."""


@dataclass(frozen=True)
class MainTable:
    table_id: str
    created: datetime
    columns: tuple[str, ...]
    """Names of all, in the table's order."""
    arrays: frozenset[str] = frozenset()
    """Names of those that are REPEATED."""
    versions: MainTable | None = None
    """The table beside it that keeps every version, where the contract wants one."""

    def has(self, names: Collection[str]) -> bool:
        """Whether all of these, in small letters, are among its columns."""
        return set(names) <= {name.lower() for name in self.columns}


@dataclass(frozen=True)
class MainTables:
    warehouse: Warehouse
    project: str
    _known: dict[str, MainTable] = field(default_factory=dict)
    """By feed, as this process saw them last."""

    def ensure(self, feed: Feed, extra: Collection[str] = ()) -> MainTable:
        """The main table, with every column that the contract and these files (`extra`) have.

        Makes what is missing: datasets, table, view, ledger and lock. Raises PermanentError `contract_changed` or
        `table_not_adopted` where the table cannot follow, TransientError while a rebuild takes its place.
        """
        table, known = self.warehouse.find_table(self._name(feed)), self._known.get(feed.name)
        is_known = table and known and (table.created, _names(table)) == (known.created, known.columns)
        # Another process may run an older contract still, and have made the view by that.
        is_ours = table and table.labels.get(CONTRACT_LABEL) == feed.fingerprint
        if known and is_known and is_ours and known.has(extra):
            return known
        self._known[feed.name] = found = self._prepare(feed, table, extra)
        return found

    def invalidate(self, feed: Feed) -> None:
        """Make the next `ensure` look again."""
        self._known.pop(feed.name, None)

    def _prepare(self, feed: Feed, table: Table | None, extra: Collection[str]) -> MainTable:
        for dataset in (feed.table.split(".")[0], OPS):
            self.warehouse.create_dataset(dataset)
        create_ledger(self.warehouse, self.project)
        create_entries(self.warehouse, self.project)
        create_lock(self.warehouse, self.project, feed)
        entry = self._entry(feed, table)
        table = self._follow(feed, table, extra) if table else self._create(feed, extra)
        written = replace(entry, created_at=table.created, contract=feed.fingerprint)
        if written != entry:
            write_entry(self.warehouse, self.project, written, instead_of=entry.table_id)
        self._create_view(feed)
        versions = self._ensure_versions(feed, entry, extra) if feed.history else None
        return MainTable(entry.table_id, table.created, _names(table), _arrays(table), versions)

    def _ensure_versions(self, feed: Feed, entry: Entry, extra: Collection[str]) -> MainTable:
        """The table of versions, followed like the main table; made only where that has no load yet, for of loads that
        are merged it would lack the versions."""
        one = of_versions(feed)
        table = self.warehouse.find_table(self._name(one))
        if table is None and has_loads(self.warehouse, self.project, feed.name, entry.table_id):
            raise contract_changed(feed, f"{one.table} is gone: it had the versions of the rows")
        if table and table.labels.get(VERSIONS_LABEL) != entry.table_id:
            how = f"{one.table} exists, but does not belong to the current {feed.table}"
            raise contract_changed(feed, how, f"drop {one.table}, or rename it")
        if table:
            table = self._follow(one, table, extra)
        else:
            table = self._create(one, extra, {VERSIONS_LABEL: entry.table_id})
        self._create_history(feed)
        return MainTable(entry.table_id, table.created, _names(table), _arrays(table))

    def _create_history(self, feed: Feed) -> None:
        ranks = {one.name: one for one in ranking(feed)}
        sql = _SQL.render(
            "history.sql",
            feed=feed,
            versions=f"{self.project}.{versions_table(feed.table)}",
            order=version_columns(feed),
            compared=[] if feed.versions else [DELETED.name, *feed.tie_breakers],
            ranks=ranks,
        )
        replace_view(self.warehouse, f"{self.project}.{history_view(feed.table)}", sql)

    def _entry(self, feed: Feed, table: Table | None) -> Entry:
        """The table's entry, written anew where the table is another than it was."""
        entries = find_entries(self.warehouse, self.project, feed)
        require_fit(feed, entries, table)
        if entries and table and _is_of(entries[0], table):
            return entries[0]
        is_legacy = bool(table) and not entries
        # Before the table: an entry without a table is that of one about to be made, which has no load yet.
        new = new_entry(feed, _legacy_id(table) if is_legacy else uuid.uuid4().hex, table.created if table else None)
        if is_legacy:
            take_over_ledger(self.warehouse, self.project, feed, new.table_id)
        write_entry(self.warehouse, self.project, new, entries[0].table_id if entries else "")
        (found,) = find_entries(self.warehouse, self.project, feed)
        return found

    def _create(self, feed: Feed, extra: Collection[str], labels: Mapping[str, str] = MappingProxyType({})) -> Table:
        table = Table(self._name(feed), definition(feed, extra))
        lay_out(table, feed)
        table.labels = {**table_labels(self.warehouse, feed), **labels}
        self.warehouse.create_table(table)
        return self._find(feed)

    def _follow(self, feed: Feed, table: Table, extra: Collection[str]) -> Table:
        found = required_changes(feed, table, extra)
        for name, kind in found.widened:
            self.warehouse.query(_SQL.render("widen.sql", main=self._name(feed), column=name, kind=kind))
        labels = {**table.labels, **table_labels(self.warehouse, feed)}
        if not found and table.labels == labels:
            return table
        # Widening is a change of the schema too.
        table = self._find(feed) if found.widened else table
        table.schema = changed(table.schema, found)
        table.labels = labels
        fields = ["schema", "labels"]
        if found.clustered:
            table.clustering_fields = [*found.clustered]
            fields.append("clustering_fields")
        self.warehouse.update_table(table, *fields)
        return self._find(feed)

    def _create_view(self, feed: Feed) -> None:
        main = self._name(feed)
        replace_view(self.warehouse, f"{main}_current", _SQL.render("current.sql", feed=feed, main=main))

    def _find(self, feed: Feed) -> Table:
        table = self.warehouse.find_table(self._name(feed))
        if table is None:
            raise TransientError(f"{feed.table} was dropped while its MERGE was being prepared")
        return table

    def _name(self, feed: Feed) -> str:
        return f"{self.project}.{feed.table}"


def table_labels(warehouse: Warehouse, feed: Feed) -> dict[str, str]:
    """Of a main table: merge's, also where a command makes it or puts another in its place."""
    return {**warehouse.labels(feed.name), **service_labels("merge"), CONTRACT_LABEL: feed.fingerprint}


def require_fit(feed: Feed, entries: Sequence[Entry], table: Table | None) -> None:
    """Hold the entries of a feed and its table against its contract. Raises what `ensure` does."""
    for one in entries:
        _refuse_other(feed, one)
    if table and not (entries and _is_of(entries[0], table)):
        _refuse_foreign(feed, table)


def required_changes(feed: Feed, table: Table, extra: Collection[str] = ()) -> Changes:
    """What a table needs before the contract's loads are merged into it. Raises PermanentError `contract_changed`."""
    found = changes(table.schema, definition(feed, extra))
    partitioning = other_partitioning(feed, table)
    if refusals := [*found.refusals, *([partitioning] if partitioning else [])]:
        raise contract_changed(feed, "; ".join(refusals))
    return replace(found, clustered=new_clustering(feed, table))


def contract_changed(feed: Feed, how: str, remedy: str | None = None) -> PermanentError:
    """Why nothing can be merged, and the remedy: a rebuild, where nothing else is named."""
    remedy = remedy or f"rebuild the table from the archive: `dropmerge rebuild {feed.name}`"
    return PermanentError(
        "contract_changed",
        f"the contract of {feed.name} no longer matches {feed.table}: {how}. Undo the change, or {remedy}; "
        f"then replay its dead letters",
    )


def _refuse_other(feed: Feed, entry: Entry) -> None:
    """Raises where an entry is not one that the contract may go on with."""
    if entry.main_table != feed.table:
        raise contract_changed(feed, f"its files were merged into {entry.main_table}, but it now names {feed.table}")
    if entry.feed != feed.name:
        # The archive keeps them under the other feed's name: a rebuild of this one would find nothing.
        how, remedy = f"the table has the rows of feed {entry.feed}", "give this feed a `table:` of its own"
        raise contract_changed(feed, how, remedy)
    if entry.identity != identity(feed):
        raise contract_changed(feed, f"the table's rows have {entry.identity}; the contract says {identity(feed)}")
    if entry.rebuild:
        raise TransientError(f"{feed.table} is being rebuilt: run `dropmerge rebuild {feed.name}` to finish")


def _refuse_foreign(feed: Feed, table: Table) -> None:
    """Raises where a table was not made by this project, or is being taken over."""
    lacking = [one.name for one in METADATA if one.name not in _names(table)]
    what = f"it lacks {', '.join(lacking)}" if lacking else "taking it over was begun and is not finished"
    if lacking or table.labels.get(ADOPTION) == "begun":
        raise PermanentError(
            "table_not_adopted",
            f"{feed.table} existed before its feed, made by hand or by another loader: {what}. Take it over with its "
            f"rows, `dropmerge adopt {feed.name}`, and replay its dead letters; or name another table",
        )


def _is_of(entry: Entry, table: Table) -> bool:
    """Whether an entry is of this very table; one without a time is of the table that was about to be made."""
    return entry.created_at is None or entry.created_at == table.created


def _legacy_id(table: Table | None) -> str:
    """Of a table that an earlier release made: the same at each attempt."""
    assert table is not None
    return hashlib.sha256(f"{table.reference} {table.created}".encode()).hexdigest()[:32]


def _names(table: Table) -> tuple[str, ...]:
    return tuple(one.name for one in table.schema)


def _arrays(table: Table) -> frozenset[str]:
    return frozenset(one.name for one in table.schema if one.mode == "REPEATED")
