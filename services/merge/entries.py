"""What is known of each main table: which feed it is of, by what its rows are told apart, and which loads it has.

A table that is dropped and made again is another one: it gets an id of its own, and the ledger's loads are applied to
an id, not to a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.merge.follow import identity
from services.merge.ledger import ledger_table
from services.shared.contract.feed import Feed
from services.shared.datasets import OPS
from services.shared.sql import Templates
from services.shared.tables import table
from services.shared.warehouse import Parameters, Warehouse

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class Entry:
    main_table: str
    """Dataset and table, as contracts have it."""
    table_id: str
    created_at: datetime | None
    """When the table was created; None where it is about to be."""
    feed: str
    identity: str
    contract: str
    """The fingerprint of the contract that the table followed last."""
    rebuild: str | None = None
    """The rebuild whose rows are about to replace the table's: nothing is merged until they have."""


def entries_table(project: str) -> str:
    return f"{project}.{OPS}.main_tables"


def create_entries(warehouse: Warehouse, project: str) -> None:
    """Create the table of entries if it is not there."""
    warehouse.create_table(table(project, "main_tables"))


def find_entries(warehouse: Warehouse, project: str, feed: Feed) -> list[Entry]:
    """Of the contract's table, and of any other table that its feed was merged into."""
    sql = _SQL.render("entries.sql", entries=entries_table(project))
    parameters: Parameters = {"main_table": ("STRING", feed.table), "feed": ("STRING", feed.name)}
    return [Entry(**dict(row)) for row in warehouse.query(sql, parameters)]


def new_entry(feed: Feed, table_id: str, created_at: datetime | None) -> Entry:
    """Of the contract's table."""
    return Entry(feed.table, table_id, created_at, feed.name, identity(feed), feed.fingerprint)


def write_entry(warehouse: Warehouse, project: str, entry: Entry, instead_of: str = "") -> None:
    """Write a table's entry, in the place of the one with this id; if another process was faster, its entry stays."""
    sql = _SQL.render("write_entry.sql", entries=entries_table(project))
    warehouse.query(sql, {**_parameters(entry), "instead_of": ("STRING", instead_of)})


def take_over_ledger(warehouse: Warehouse, project: str, feed: Feed, table_id: str) -> None:
    """An earlier release wrote which loads are applied, and not to which table: it was this one."""
    sql = _SQL.render("take_over_ledger.sql", ledger=ledger_table(project))
    warehouse.query(sql, {"feed": ("STRING", feed.name), "table_id": ("STRING", table_id)})


def _parameters(entry: Entry) -> dict[str, tuple[str, object]]:
    texts: Sequence[str] = ("main_table", "table_id", "feed", "identity", "contract", "rebuild")
    return {
        **{name: ("STRING", getattr(entry, name)) for name in texts},
        "created_at": ("TIMESTAMP", entry.created_at),
    }
