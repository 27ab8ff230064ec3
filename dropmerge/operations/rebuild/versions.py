"""The table that keeps the versions of a main table's rows, and its view, which are made and dropped with it."""

from __future__ import annotations

from pathlib import Path

from services.shared.contract.history import history_view, versions_table
from services.shared.datasets import VERSIONS_LABEL
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


def drop_versions(warehouse: Warehouse, table: str) -> bool:
    """Drop those of the main table of this full name, and the view; whether there were any.

    A table of somebody else that has the name stays.
    """
    name = versions_table(table)
    found = warehouse.find_table(name)
    if found is None or VERSIONS_LABEL not in found.labels:
        return False
    # The table last, by which an interrupted drop is found and repeated.
    warehouse.query(_SQL.render("drop_view.sql", view=history_view(table)))
    warehouse.drop_table(name)
    return True
