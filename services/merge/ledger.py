"""The ledger: which loads are applied to which main table, written in the transaction that applies them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.shared.datasets import OPS
from services.shared.sql import Templates
from services.shared.tables import table
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


def ledger_table(project: str) -> str:
    return f"{project}.{OPS}.ledger"


def create_ledger(warehouse: Warehouse, project: str) -> None:
    """Create it if it is not there; one of an earlier release gains the columns it lacks."""
    warehouse.create_table(table(project, "ledger"))


def applied_loads(warehouse: Warehouse, project: str, feed: str, table_id: str, load_ids: Sequence[str]) -> set[str]:
    """Those of the feed's loads that the ledger holds for the main table of this id."""
    sql = _SQL.render("applied.sql", ledger=ledger_table(project), feed=feed, table_id=table_id, load_ids=load_ids)
    return {row["load_id"] for row in warehouse.query(sql)}


def has_loads(warehouse: Warehouse, project: str, feed: str, table_id: str) -> bool:
    """Whether the ledger holds any load of the feed for the main table of this id."""
    return bool(
        warehouse.query(_SQL.render("has_loads.sql", ledger=ledger_table(project), feed=feed, table_id=table_id))
    )
