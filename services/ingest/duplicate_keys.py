"""Rows of one file that share key and version and differ: one of them stays, and seldom is that what was meant."""

from __future__ import annotations

from pathlib import Path

from services.ingest.match_header import Layout
from services.ingest.row_texts import columns
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.order import DELETED, RESCUED, metadata
from services.shared.sql import Templates, identifier
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


def count_duplicate_keys(warehouse: Warehouse, feed: Feed, tables: Tables, layout: Layout, repeated: int) -> int:
    """Among the good rows of the checked table, where `repeated` times several share key and version."""
    if not repeated or not feed.key:
        # Reading all columns costs as much as the check of the rows did.
        return 0
    rest = [(c.name, c.kind.comparable) for c in columns(feed, layout) if c.name not in feed.of_every_row]
    own = [(one.name, one.comparable) for one in metadata(feed) if one in (DELETED, RESCUED)]
    texts = [f"{comparable(identifier(name))} AS {identifier(name)}" for name, comparable in (*rest, *own)]
    sql = _SQL.render("duplicate_keys.sql", checked=tables.checked, shared=feed.of_every_row, others=texts)
    (counted,) = warehouse.query(sql)
    return int(counted["duplicate_keys"])
