"""The feed's main table as it is now: what the ledger holds for it, and whether merges into it go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dropmerge.operations.errors import NotDone
from dropmerge.operations.rebuild.build import Build
from services.merge.entries import Entry, find_entries
from services.merge.ledger import ledger_table
from services.shared.errors import NotFoundError, PermanentError
from services.shared.sql import Templates

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class Merged:
    """A load that the ledger holds for a table."""

    at: datetime
    contract: str | None
    """By which the file was read; None where an earlier release merged it."""


def live_entries(build: Build) -> list[Entry]:
    """Of the feed: its main table's, or that of the table that its files were merged into before."""
    found = find_entries(build.warehouse, build.project, build.contract)
    other = next((one for one in found if one.feed != build.contract.name), None)
    if other:
        raise NotDone(f"{other.main_table} has the rows of feed {other.feed}: name another table in the contract")
    return found


def require_own_table(build: Build) -> None:
    """Raises NotDone or PermanentError where the contract's table is there and is not the feed's.

    A table of an earlier release gets its entry.
    """
    name, entries = build.contract.table, live_entries(build)
    if any(one.main_table == name for one in entries):
        return
    if build.warehouse.table_exists(f"{build.project}.{name}"):
        if entries:
            raise NotDone(
                f"{name} exists, but the files of {build.contract.name} were merged into {entries[0].main_table}: "
                "a rebuild would replace it. Rename or drop it, or name another table in the contract"
            )
        _take_over(build)


def _take_over(build: Build) -> None:
    try:
        build.main_tables.ensure(build.contract)
    except PermanentError as error:
        # The entry is written; that the table cannot follow its contract is why it is rebuilt.
        if error.reason != "contract_changed":
            raise


def merged_loads(build: Build, entries: Sequence[Entry]) -> Mapping[str, Merged]:
    """The loads that the ledger holds for the tables of these entries."""
    if not entries:
        return {}
    ids = [one.table_id for one in entries]
    sql = _SQL.render("loads_of_tables.sql", ledger=ledger_table(build.project), table_ids=ids)
    try:
        rows = build.warehouse.query(sql)
    except NotFoundError:
        return {}
    return {row["load_id"]: Merged(row["merged_at"], row["contract"]) for row in rows}
