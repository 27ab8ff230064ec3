"""Tables as the local warehouse's catalog has them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from bqemulator.catalog.models import TableFieldSchema, TableMeta, TableSchema


def entry(name: str, rows: int = 0, table_type: Literal["TABLE", "VIEW"] = "TABLE", **columns: str) -> TableMeta:
    """Of a table of dataset `d` of project `local`; `columns`: a type for each name."""
    now = datetime(2025, 1, 1, tzinfo=UTC)
    return TableMeta(
        project_id="local",
        dataset_id="d",
        table_id=name,
        table_type=table_type,
        schema=TableSchema(fields=tuple(TableFieldSchema(name=one, type=kind) for one, kind in columns.items())),
        num_rows=rows,
        creation_time=now,
        last_modified_time=now,
        etag="",
    )
