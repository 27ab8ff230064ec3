"""The journal of an earlier release, in whose place comes one with today's columns and the events of before."""

from __future__ import annotations

from pathlib import Path

from services.shared.datasets import OPS
from services.shared.errors import PermanentError
from services.shared.sql import Templates
from services.shared.tables import table
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)
_OLD_COLUMN = "at"


def upgrade_journal(warehouse: Warehouse) -> None:
    """Nothing where the journal is of this release, or not there yet. Safe to repeat, and for services that start at
    once. Raises as `Warehouse` does, where the account may create no table."""
    project = warehouse.client.project
    journal, before = f"{project}.{OPS}.journal", f"{project}.{OPS}.journal_of_earlier_release"
    try:
        if _is_old(warehouse, journal):
            taken = _SQL.render("upgrade_journal_take.sql", journal=journal, before=before)
            warehouse.create_table_once("upgrade-journal-take", before, taken)
        if warehouse.table_exists(before):
            warehouse.create_table(table(project, "journal"))
            rows = _SQL.render("upgrade_journal_rows.sql", journal=journal, before=before)
            warehouse.create_table_once("upgrade-journal-rows", journal, rows)
            warehouse.drop_table(before)
    except PermanentError:
        # Another service was faster, and what it had done was no longer there to be done.
        if _is_old(warehouse, journal):
            raise


def _is_old(warehouse: Warehouse, journal: str) -> bool:
    found = warehouse.find_table(journal)
    return found is not None and _OLD_COLUMN in {field.name for field in found.schema}
