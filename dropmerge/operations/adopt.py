"""A table that was there before its feed, taken over with its rows.

It is altered where it is, and not replaced: BigQuery replaces no table by one of another partitioning or clustering
(https://github.com/dbt-labs/dbt-core/issues/2000), and grants, policies and descriptions stay. The columns and the
mark that keeps merges out come in one call, the rows' metadata in one statement; what is cut short, `adopt` finishes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.queries import statement
from services.merge.entries import find_entries
from services.merge.follow import Changes, changed, changes, definition
from services.merge.layout import other_partitioning
from services.merge.main_table import ADOPTION, MainTables, require_fit
from services.shared.contract.order import ADOPTED, METADATA, clustering
from services.shared.datasets import CONTRACT_LABEL, OPS
from services.shared.errors import NotFoundError, PermanentError

if TYPE_CHECKING:
    from google.cloud.bigquery import Table

    from services.merge.entries import Entry
    from services.shared.contract.feed import Feed
    from services.shared.warehouse import Warehouse

_PARAMETERS = {"adopted": ("STRING", ADOPTED)}


@dataclass(frozen=True)
class Adoption:
    """What is to be done to a table; without `table`, nothing."""

    feed: Feed
    sentences: Sequence[str]
    """In words, the table's name before each."""
    table: Table | None = None
    changes: Changes = field(default_factory=Changes)
    rows: int = 0


def adopted_table(feed: Feed) -> str:
    """Where the rows of before stay as they were: dataset and table."""
    return f"{OPS}.adopted_{feed.table.replace('.', '_')}"


def plan_adoption(connection: Connection, feed: Feed) -> Adoption:
    """What `adopt` would do. Raises NotDone where the table cannot become the feed's, with all the reasons at once."""
    table = connection.warehouse.find_table(f"{connection.project}.{feed.table}")
    if table is None:
        return Adoption(feed, ["does not exist, so there is nothing to adopt: the first merged file creates it"])
    if not _is_foreign(feed, entries_of(connection, feed), table):
        return Adoption(feed, ["was made by dropmerge, so there is nothing to adopt"])
    if feed.history:
        raise NotDone(
            f"{feed.table} cannot be adopted by {feed.name} while its contract says history: true, because its "
            f"rows are not in a table of versions. Adopt it without history, then add history again: "
            f"`dropmerge rebuild {feed.name}` starts with the rows that were there"
        )
    found = changes(table.schema, definition(feed))
    if faults := [*_faults(feed, table), *found.refusals]:
        raise NotDone(_refused(feed, faults))
    (counts,) = connection.query("adopt_counts.sql", feed=feed)
    if faults := list(_faults_of_rows(feed, counts)):
        raise NotDone(_refused(feed, faults))
    return Adoption(feed, list(_sentences(feed, table, found, counts["row_count"])), table, found, counts["row_count"])


def adopt(connection: Connection, adoption: Adoption) -> None:
    """Do it, and record who did it. Each step may be repeated, and a merge goes on only after the last but one."""
    feed, warehouse = adoption.feed, connection.warehouse
    assert adoption.table is not None
    _add_columns(warehouse, adoption.table, adoption)
    warehouse.query(statement("adopt_rows.sql", feed=feed), _PARAMETERS)
    warehouse.create_dataset(OPS)
    warehouse.query(statement("adopt_keep.sql", feed=feed, kept=adopted_table(feed)), _PARAMETERS)
    _open(warehouse, f"{connection.project}.{feed.table}")
    MainTables(warehouse, connection.project).ensure(feed)
    connection.journal.record("adopted", {"feed": feed.name}, table=feed.table, rows=adoption.rows)


def entries_of(connection: Connection, feed: Feed) -> list[Entry]:
    """Of the feed and its table; none where no merge service ran yet."""
    try:
        return find_entries(connection.warehouse, connection.project, feed)
    except NotFoundError:
        return []


def _is_foreign(feed: Feed, entries: Sequence[Entry], table: Table) -> bool:
    try:
        require_fit(feed, entries, table)
    except PermanentError as error:
        if error.reason != "table_not_adopted":
            raise NotDone(error.detail) from error
        return True
    return False


def _faults(feed: Feed, table: Table) -> Iterator[str]:
    names = {one.name.lower() for one in table.schema}
    if table.table_type != "TABLE":
        yield f"it is a {table.table_type}: files are merged into tables only"
    if table.require_partition_filter:
        yield (
            "it only takes queries that name partitions, and a merge does not: "
            f"`ALTER TABLE {feed.table} SET OPTIONS (require_partition_filter = FALSE)`"
        )
    if table.streaming_buffer:
        yield "some of its rows are still in the streaming buffer: stop whatever writes them, then wait two hours"
    if missing := [name for name in feed.of_every_row if name.lower() not in names]:
        yield f"it lacks {', '.join(missing)}, which the contract needs as key or version"
    if otherwise := other_partitioning(feed, table):
        yield f"{otherwise}, which BigQuery changes of no table: leave partition_by out of the contract"
    taken = [one.name for one in METADATA if one.name in names]
    if taken and ADOPTION not in table.labels:
        yield f"it has columns named {', '.join(taken)}, the names of dropmerge's own columns: rename them"


def _faults_of_rows(feed: Feed, counts: Any) -> Iterator[str]:
    key = ", ".join(feed.key)
    if feed.of_every_row and counts["incomplete"]:
        *others, last = feed.of_every_row
        names = f"{', '.join(others)} or {last}" if others else last
        yield f"NULL in {names} in {counts['incomplete']} of its rows: fill in the values, or delete these rows"
    if feed.key and counts["doubled"]:
        yield (
            f"{counts['doubled']} of its keys ({key}) are in several rows: delete all but one of each, or choose a "
            "key in the contract that is unique"
        )


def _refused(feed: Feed, faults: Sequence[str]) -> str:
    return "\n".join([f"{feed.table} cannot be adopted by {feed.name}; nothing was changed", *faults])


def _sentences(feed: Feed, table: Table, found: Changes, rows: int) -> Iterator[str]:
    yield from found.sentences()
    yield f"has {rows} rows, which get generation 0: {_meaning(feed)}"
    names = {one.name for one in definition(feed)}
    if others := [one.name for one in table.schema if one.name not in names]:
        yield f"keeps {', '.join(others)}, not in the contract: NULL in the rows that files write from then on"
    if _clustering(feed, table) != table.clustering_fields:
        by = ", ".join(clustering(feed))
        yield f"is clustered by {'its key, ' if feed.key and not feed.cluster_by else ''}{by}, from then on"
    elif (table.clustering_fields or [])[:1] != clustering(feed)[:1]:
        yield f"is not clustered by {clustering(feed)[0]}: each merge reads all of it"
    yield f"gets the view {feed.table}_current; {adopted_table(feed)} keeps a copy of its rows as they are"


def _meaning(feed: Feed) -> str:
    """What generation 0 means for the rows of before."""
    if feed.mode == "append":
        return "they stay, together with the rows of files"
    if feed.mode == "snapshot":
        return "the first file replaces them, as every newer file replaces the one before"
    return f"{'at equal versions ' if feed.versions else ''}a file's row wins"


def _clustering(feed: Feed, table: Table) -> Any:
    """The contract's own; else, of a table without any, that of a main table: it can be added to one that is there
    (https://cloud.google.com/bigquery/docs/manage-clustered-tables)."""
    if feed.cluster_by:
        return [*feed.cluster_by]
    is_free = table.clustering_fields is None and table.time_partitioning is None and table.range_partitioning is None
    return (clustering(feed) or None) if is_free else table.clustering_fields


def _add_columns(warehouse: Warehouse, table: Table, adoption: Adoption) -> None:
    table.schema = changed(table.schema, adoption.changes)
    table.labels = {**table.labels, CONTRACT_LABEL: adoption.feed.fingerprint, ADOPTION: "begun"}
    table.clustering_fields = _clustering(adoption.feed, table)
    warehouse.update_table(table, "schema", "labels", "clustering_fields")


def _open(warehouse: Warehouse, name: str) -> None:
    table = warehouse.find_table(name)
    if table is None:
        raise NotDone(f"{name} was dropped while it was being adopted")
    table.labels = {**table.labels, ADOPTION: "done"}
    warehouse.update_table(table, "labels")
