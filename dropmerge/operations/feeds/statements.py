"""The statements that a contract makes the services send, and whether BigQuery takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from services.shared.generation import ObjectGeneration
from services.shared.load import Load

if TYPE_CHECKING:
    from services.ingest.formats.raw_field import RawField
    from services.shared.contract.feed import Feed

LIMIT = 1_000_000
"""Bytes of a statement: BigQuery takes 1 MB (https://cloud.google.com/bigquery/quotas#query_jobs)."""
_PROJECT = "p" * 30
"""As long as a project's id may be (https://cloud.google.com/resource-manager/docs/creating-managing-projects)."""


def too_long(feed: Feed) -> Iterator[str]:
    """A sentence on each statement for one load that BigQuery would refuse for its length."""
    for what, sql in (("checks a file's rows", _check(feed)), ("merges a file", _merge(feed))):
        size = len(sql.encode())
        if size > LIMIT:
            yield (
                f"the statement that {what} has {size:,} bytes, more than the {LIMIT:,} that BigQuery takes: "
                "use fewer columns, shorter names or shorter checks"
            )


def _check(feed: Feed) -> str:
    from services.ingest.check_rows import check_statement
    from services.ingest.formats import format_of
    from services.ingest.match_header import match_header
    from services.ingest.tables import Tables
    from services.shared.contract.shape import titles

    layout = match_header(titles(feed), feed)
    if format_of(feed).NAMES_ARE_LOADED:
        layout = replace(layout, fields=dict(_presumed(feed)))
    return check_statement(feed, Tables.of(_PROJECT, feed, _load(feed)), layout)


def _presumed(feed: Feed) -> Iterator[tuple[str, RawField]]:
    """Fields of the columns' own types: a FLOAT64 has the longest text."""
    from google.cloud.bigquery import SchemaField

    from services.ingest.formats.raw_field import RawField

    for number, column in enumerate(feed.columns):
        yield column.name, RawField(str(column.in_file), (f"_{number}",), SchemaField(f"_{number}", column.type))
    if feed.delete:
        yield feed.delete.column, RawField(str(feed.delete.in_file), ("_",), SchemaField("_", "STRING"))


def _merge(feed: Feed) -> str:
    from services.merge.main_table import MainTable
    from services.merge.staged import Staged
    from services.merge.statement import merge_statement, staging_name
    from services.shared.contract.order import column_names

    load_id = _load(feed).load_id
    main = MainTable("0" * 32, datetime.now(UTC), tuple(column_names(feed)))
    main = replace(main, versions=main if feed.history else None)
    return merge_statement(_PROJECT, feed, main, [Staged(load_id, staging_name(_PROJECT, feed, load_id))], "0" * 32)


def _load(feed: Feed) -> Load:
    return Load(feed.name, ObjectGeneration("landing", feed.objects, 1))
