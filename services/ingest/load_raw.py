"""Load the pinned file, as it is, into a table of text."""

from __future__ import annotations

from services.ingest.formats import format_of
from services.ingest.match_header import Layout
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError
from services.shared.warehouse import Warehouse


def load_raw(warehouse: Warehouse, uri: str, raw_table: str, load_id: str, layout: Layout, feed: Feed) -> None:
    """One load job by URI; every column STRING.

    Raises: PermanentError("malformed_file") for what BigQuery cannot read.
    """
    config = format_of(feed).load_config(layout.columns, feed, layout.encoding)
    try:
        warehouse.load_table_once(f"load-{load_id}", raw_table, uri, config)
    except PermanentError:
        warehouse.drop_table(raw_table)
        raise
