"""Every statement that `explain --row` sends is one that BigQuery's own front end accepts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.cloud.bigquery import SchemaField

from deploy.topology import ROOT
from dropmerge.operations.row_story.found import MARK, query_rows
from dropmerge.operations.row_story.key import Key
from dropmerge.operations.row_story.rejected import query_rejected
from services.ingest.check_rows import check_parameters, check_statement
from services.ingest.formats import format_of
from services.ingest.load_raw import loaded_layout
from services.ingest.match_header import Layout, match_header
from services.ingest.row_rules import Rule
from services.ingest.tables import Tables
from services.merge.follow import definition
from services.shared.contract.feed import Feed
from services.shared.contract.formats import Ndjson
from services.shared.contract.reader import read_feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.main_table import described
from tests.harness.statements.feeds import GOOD, SHAPES, features, header
from tests.harness.statements.statements import PROJECT, send_all

_FEEDS = [
    read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml"),
    *(features()[name] for name in ("every_key", "reserved_words", "rescue", "newest_file", "snapshot", "typed")),
]


def _key(feed: Feed) -> Key:
    texts = {name: GOOD[feed.type_of(name).name] for name in feed.key}
    return Key(feed, texts, {name: feed.type_of(name).parse(text) for name, text in texts.items()})


@pytest.mark.parametrize("feed", _FEEDS, ids=lambda feed: feed.name)
def test_what_looks_for_a_key_is_analysed(feed: Feed) -> None:
    """In the main table and staging tables, among rejected rows, and in a file that is checked for it."""
    warehouse, key = send_all(feed), _key(feed)
    load = Load(feed.name, ObjectGeneration("landing", "0.csv", 0))
    tables = Tables.of(PROJECT, feed, load)
    query_rejected(warehouse, PROJECT, key)
    layout = _layout(feed)
    sql = check_statement(feed, tables, layout, [Rule(MARK, key.marked)])
    warehouse.query(sql, {**check_parameters(feed, load, layout, datetime(2025, 1, 1, tzinfo=UTC)), **key.parameters})
    narrow = f"{PROJECT}.staging._narrow"
    warehouse._create(described(narrow, [one for one in definition(feed) if one.name not in set(feed.tie_breakers)]))
    query_rows(warehouse, feed, key, [f"{PROJECT}.{feed.table}", tables.staging, narrow], tables.checked)
    assert "DENSE_RANK" in warehouse.sent[-1][0]
    assert MARK in warehouse.sent[-1][0]


def _layout(feed: Feed) -> Layout:
    """Of the file whose raw table is the last that was made."""
    names = list(feed.names_in_file) if isinstance(feed.format, Ndjson) else header(feed, SHAPES[-1])
    if format_of(feed).NAMES_ARE_LOADED:
        return loaded_layout([SchemaField(name, "STRING") for name in names], feed)
    return match_header(names, feed)
