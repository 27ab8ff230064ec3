"""Record the rows that failed their checks, once a load."""

from __future__ import annotations

from pathlib import Path

from services.ingest.tables import Tables
from services.shared.load import Load
from services.shared.sql import Templates
from services.shared.tables import table
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


def record_rejected(warehouse: Warehouse, load: Load, tables: Tables, again: str | None, rejected: int) -> None:
    """Record the refused rows of the checked table, of which there are `rejected`.

    `again`: the message's id if it is a replay's or a backfill's. An earlier check, perhaps by another contract, may
    have recorded rows of this load, which are replaced.
    """
    warehouse.create_table(table(warehouse.client.project, "rejected_rows", tables.rejected))
    # Replace only where rows exist: BigQuery queues few mutating statements per table, and inserts are not limited.
    is_recorded = again is not None and _is_recorded(warehouse, load, tables)
    if not rejected and not is_recorded:
        return
    template = "replace_rejected.sql" if is_recorded else "record_rejected.sql"
    sql = _SQL.render(template, rejected=tables.rejected, checked=tables.checked)
    # Inserts do not conflict on BigQuery: deliveries of one message that overlap share the job instead.
    warehouse.create_table_once(
        f"reject-{load.load_id}", tables.rejected, sql, _parameters(load), idempotency_key=again or ""
    )


def _parameters(load: Load) -> dict[str, tuple[str, object]]:
    return {name: ("INT64" if isinstance(value, int) else "STRING", value) for name, value in load.fields.items()}


def _is_recorded(warehouse: Warehouse, load: Load, tables: Tables) -> bool:
    sql = _SQL.render("count_recorded.sql", rejected=tables.rejected)
    (counted,) = warehouse.query(sql, {"load_id": ("STRING", load.load_id)})
    return bool(counted["recorded"])
