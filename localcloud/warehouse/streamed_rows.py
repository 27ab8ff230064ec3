"""A few streamed rows, inserted as a statement's text.

bqemulator 1.4.0 lends DuckDB an Arrow table to read them from, and takes it back: three times the work for the events
that a delivery writes to the journal.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from bqemulator.api.routes import tabledata
from bqemulator.storage.arrow_bridge import bq_rows_to_arrow
from bqemulator.storage.sql_identifiers import quoted_table_ref

from localcloud.warehouse.entries import literal

_MOST = 100
_PLAIN = {"STRING", "INTEGER", "INT64", "TIMESTAMP"}
"""Types whose values are the same as text and as what Arrow makes of them."""


def set_up() -> None:
    """Replaces the route of streamed rows; called before the server is made."""
    (route,) = [one for one in list[Any](tabledata.router.routes) if one.endpoint is tabledata.insert_all]
    route.endpoint = _as_text(tabledata.insert_all)


def _as_text(insert: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(insert)
    async def insert_all(project_id: str, dataset_id: str, table_id: str, request: Any, ctx: Any) -> Any:
        table, body = ctx.catalog.get_table(project_id, dataset_id, table_id), await request.json()
        rows = body.get("rows", [])
        values = None if table is None or body.get("skipInvalidRows") else _values(table, rows)
        if values is None:
            return await insert(project_id, dataset_id, table_id, request, ctx)
        async with ctx.engine.write_lock():
            ctx.engine.execute(
                f"INSERT INTO {quoted_table_ref(project_id, dataset_id, table_id)} VALUES {values}"  # noqa: S608 - texts in quotes
            )
            ctx.catalog.update_table(table.model_copy(update={"num_rows": table.num_rows + len(rows)}))
            ctx.snapshots.record_change(project_id, dataset_id, table_id)
        return {"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": []}

    return insert_all


def _values(table: Any, rows: list[Any]) -> str | None:
    """The rows as SQL; None where there are many, none, or some of other types.

    Raises what bqemulator does of a value that is not of its column's type.
    """
    fields = table.schema_.fields
    if not 0 < len(rows) <= _MOST or any(one.type not in _PLAIN or one.mode == "REPEATED" for one in fields):
        return None
    schema = tabledata._build_arrow_schema(list[Any](tabledata._fields_raw_from_schema(fields)))
    texts = [[_value(one) for one in row.values()] for row in bq_rows_to_arrow(rows, schema).to_pylist()]
    if any("\0" in one for row in texts for one in row):
        return None  # a statement would end there
    return ", ".join(f"({', '.join(row)})" for row in texts)


def _value(value: Any) -> str:
    """Of a text, a number or a time."""
    return "NULL" if value is None else str(value) if isinstance(value, int) else literal(str(value))
