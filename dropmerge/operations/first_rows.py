"""Some rows of a main table, to look at."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from services.shared.contract.feed import Feed
from services.shared.contract.order import DELETED

_MOST_READ = 10_000


@dataclass(frozen=True)
class FirstRows:
    columns: list[str]
    """The contract's, key first."""
    rows: list[dict[str, Any]]
    is_all: bool
    """Whether the table has no other."""


def first_rows(connection: Connection, feed: Feed, most: int) -> FirstRows:
    """Rows that are not deleted, in the table's own order.

    They are read from the table's storage (tabledata.list), which costs nothing, whatever the table's size; a query
    with LIMIT is billed for all of each column (https://cloud.google.com/bigquery/docs/best-practices-costs). A view
    cannot be read so, hence the main table's tombstones are left out here. Raises NotDone where there is no table, or
    nothing but tombstones among the first 10,000 rows.
    """
    table = connection.warehouse.find_table(f"{connection.project}.{feed.table}")
    if table is None:
        raise NotDone(f"{feed.table} is not there yet: the first file that is merged makes it")
    names = [*feed.key, *(column.name for column in feed.columns if column.name not in feed.key)]
    fields = {field.name: field for field in table.schema}
    wanted = [fields[name] for name in (*names, DELETED.name) if name in fields]
    read = connection.warehouse.client.list_rows(
        table, selected_fields=wanted, max_results=_MOST_READ, page_size=max(100, 2 * most), retry=connection.retry
    )
    live = (dict(row.items()) for row in read if not row[DELETED.name])
    found = list(islice(live, most + 1))
    if not found and read.total_rows > _MOST_READ:
        raise NotDone(
            f"the first {_MOST_READ} rows of {feed.table} are deleted ones: query {feed.table}_current for the others"
        )
    columns = [name for name in names if name in fields]
    rows = [{name: row[name] for name in columns} for row in found[:most]]
    return FirstRows(columns, rows, len(found) <= most and read.total_rows <= _MOST_READ)
