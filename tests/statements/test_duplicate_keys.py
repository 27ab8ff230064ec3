"""Rows of one file that share key and version and differ are counted, on Google's own engine."""

from __future__ import annotations

from typing import Any

import pytest

from services.ingest.check_rows import check_rows
from services.ingest.match_header import match_header
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.types import TYPES
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import Texts, load_records
from tests.harness.statements.feeds import GOOD

_LOAD = Load("things", ObjectGeneration("landing", "t.csv", 1751328000000000))


def _feed(**more: Any) -> Feed:
    columns = [{"name": name, "type": "STRING"} for name in ("id", "total")]
    types = [{"name": f"a_{kind.lower()}", "type": kind} for kind in TYPES]
    fields = {"objects": "x/*", "format": {"type": "csv"}, "table": "main.things", "key": ["id", "total"]}
    delete = {"column": "op", "equals": "D"}
    columns = [*columns, {"name": "version", "type": "INT64"}, *types]
    fixed = {"feed": "things", "version": "version", "bad_rows": {"at_most": "100%"}, "delete": delete}
    return Feed.model_validate({**fixed, **fields, "columns": columns, **more})


def _count(feed: Feed, *rows: Texts) -> int:
    names = list(dict.fromkeys(name for row in rows for name in row))
    warehouse, layout, tables = GoogleSql(), match_header(names, feed), Tables.of("local", feed, _LOAD)
    load_records(warehouse, feed, layout, tables.raw, [[row.get(name, "") for name in names] for row in rows])
    return check_rows(warehouse, feed, _LOAD, tables, layout, _LOAD.source.created, None).duplicate_keys


def _row(key: str, version: str = "1", **more: str) -> Texts:
    return {"id": key, "total": "t", "version": version, **more}


def test_rows_that_share_key_and_version_and_differ() -> None:
    """Each key and version once, however many rows; a repeated row is none, nor is one that is refused."""
    rows = [
        *(_row("a", a_int64="1"), _row("a", a_int64="2"), _row("a", a_int64="3")),
        *(_row("b", a_bool="true"), _row("b")),
        *(_row("b", "2", a_bool="true"), _row("b", "2")),
        *(_row("same", a_int64="1"), _row("same", a_int64="+1")),
        *(_row("bad", a_int64="1"), _row("bad", a_int64="x")),
        *(_row("new", "1", a_int64="1"), _row("new", "2", a_int64="2")),
        _row("one"),
    ]
    assert _count(_feed(), *rows) == 3
    assert _count(_feed(version="_generation"), *rows) == 3
    assert _count(_feed(), *rows[7:]) == 0


@pytest.mark.parametrize("kind", TYPES)
def test_rows_may_differ_in_any_column(kind: str) -> None:
    assert _count(_feed(), _row("a"), _row("a", **{f"a_{kind.lower()}": GOOD[kind]})) == 1


@pytest.mark.parametrize(("unknown", "count"), [("ignore", 0), ("rescue", 1), ("add", 1)])
def test_rows_may_differ_in_what_the_contract_does_not_know(unknown: str, count: int) -> None:
    assert _count(_feed(unknown_columns=unknown), _row("a", new="x"), _row("a", new="y")) == count


def test_g3_a_delete_beside_an_update_differs() -> None:
    assert _count(_feed(), _row("a", op="D"), _row("a", op="")) == 1


def test_a_key_and_a_version_may_be_all() -> None:
    feed = _feed(
        columns=[{"name": name, "type": "STRING"} for name in ("id", "total")], version="_generation", delete=None
    )
    assert _count(feed, {"id": "a", "total": "t"}, {"id": "a", "total": "t"}) == 0
