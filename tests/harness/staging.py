"""The services' own steps on Google's engine: a file's texts are checked, staged and merged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.ingest.check_rows import check_rows, stage_rows
from services.ingest.formats import format_of
from services.ingest.match_header import Layout, match_header
from services.ingest.tables import Tables
from services.merge.merge_loads import Merger
from services.shared.contract.feed import Feed
from services.shared.delivery import Delivery
from services.shared.load import Load
from services.shared.messages.push import PushMessage
from services.shared.messages.staged import StagedMessage
from services.shared.settings import Settings
from tests.harness.googlesql import GoogleSql

Texts = dict[str, str]
"""A row of a file: column to text."""


def check(warehouse: GoogleSql, feed: Feed, load: Load, rows: Sequence[Texts]) -> list[dict[str, Any]]:
    """The checked table of a file with these rows, whose header is the first one's names."""
    layout, tables = match_header(list(rows[0]), feed), Tables.of("local", feed, load)
    load_records(warehouse, feed, layout, tables.raw, [[row[name] for name in rows[0]] for row in rows])
    check_rows(warehouse, feed, load, tables, layout, load.source.created, None)
    return warehouse.query(f"SELECT * FROM `{tables.checked}`")


def load_records(
    warehouse: GoogleSql, feed: Feed, layout: Layout, table: str, records: Sequence[Sequence[str]]
) -> None:
    """The raw table of these records, as a load job makes it: what a record lacks is NULL, what it has too many of is
    left out."""
    schema = format_of(feed).load_config(layout.columns, feed, layout.encoding).schema
    names = [field.name for field in schema]
    nothing: list[str | None] = [None] * len(names)
    warehouse.load(table, names, [[*record, *nothing][: len(names)] for record in records])


def stage(warehouse: GoogleSql, feed: Feed, load: Load, rows: Sequence[Texts]) -> None:
    """The staging table of a file with these rows."""
    checked = check(warehouse, feed, load, rows)
    rejected = len([row for row in checked if row["_reasons"]])
    stage_rows(warehouse, feed, load, Tables.of("local", feed, load), rejected)


def merge(warehouse: GoogleSql, feed: Feed, load: Load) -> str:
    """Merge every load that is staged, as for the message of this one; the outcome."""
    settings = Settings(  # type: ignore[call-arg]  # the rest has defaults
        GOOGLE_CLOUD_PROJECT="local", service="merge", feeds=Path("feeds"), dead_letter_topic="t", budget_seconds=60.0
    )
    merger = Merger(settings, {feed.name: feed}, warehouse, publisher=None)  # type: ignore[arg-type]  # nothing is sent back
    return merger(Delivery(PushMessage(StagedMessage(load, feed.fingerprint).encode(), {}, "1", "s", 1), ""))
