"""The tables of `ops`, filled for a test in either engine."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from structlog.testing import capture_logs

from services.merge.views.create import create_views
from services.shared.tables import table, table_names
from services.shared.warehouse import Warehouse


def fill(warehouse: Warehouse, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """The tables of `ops` with these rows, and the views."""
    for name in table_names():
        warehouse.drop_table(f"local.ops.{name}")
    # That the view of dead letters has no table yet is of no interest here.
    with capture_logs():
        create_views(warehouse)
    for name, some in rows.items():
        warehouse.create_table(table("local", name))
        columns = [field.name for field in table("local", name).schema]
        values = ", ".join(f"({', '.join(literal(one.get(column)) for column in columns)})" for one in some)
        if some:
            warehouse.query(f"INSERT INTO `local.ops.{name}` ({', '.join(columns)}) VALUES {values}")


def literal(value: Any) -> str:
    """SQL."""
    match value:
        case None:
            return "NULL"
        case datetime():
            return f"TIMESTAMP '{value.isoformat()}'"
        case bytes():
            return f"FROM_BASE64('{base64.b64encode(value).decode()}')"
        case str():
            escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
            return f"'{escaped}'"
    return str(value)
