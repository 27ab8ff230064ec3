"""Load the pinned file, as it is, into the raw table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from services.ingest.formats import format_of
from services.ingest.formats.canonical import text
from services.ingest.formats.raw_field import fields_of
from services.ingest.match_header import Layout, match_header
from services.shared.contract.feed import Feed
from services.shared.errors import NotFoundError, PermanentError
from services.shared.warehouse import Warehouse

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField


def load_raw(warehouse: Warehouse, uri: str, raw_table: str, load_id: str, layout: Layout, feed: Feed) -> Layout:
    """One load job by URI: every column STRING, or of the file's own types, whose names are matched now.

    Raises: PermanentError("malformed_file") for what BigQuery cannot read, "wrong_header" for names that do not fit.
    """
    config = format_of(feed).load_config(layout.columns, feed, layout.encoding)
    try:
        warehouse.load_table_once(f"load-{load_id}", raw_table, uri, config)
        return _found(warehouse, raw_table, feed) if format_of(feed).NAMES_ARE_LOADED else layout
    except NotFoundError:
        raise
    except PermanentError:
        warehouse.drop_table(raw_table)
        raise


def _found(warehouse: Warehouse, raw_table: str, feed: Feed) -> Layout:
    table = warehouse.find_table(raw_table)
    if table is None:
        raise NotFoundError("not_found", f"{raw_table} is gone")
    return loaded_layout(table.schema, feed)


def loaded_layout(schema: Sequence[SchemaField], feed: Feed) -> Layout:
    """Of a raw table that has the file's own schema.

    Raises PermanentError("wrong_header"), also for a field that is read and of a type or name that cannot be.
    """
    fields = fields_of(schema, feed.names_in_file)
    layout = match_header([one.path for one in fields], feed)
    wanted = {*feed.names_in_file.values(), *layout.added, *(column for _, column in layout.rescued)}
    found = zip(layout.columns, fields, strict=True)
    read = {column: one for column, one in found if column in wanted}
    for one in read.values():
        text(one.value, one.schema)  # fails now, where the raw table is dropped for it
    return replace(layout, fields=read)
