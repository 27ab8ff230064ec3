"""Every statement that the services can send is one that BigQuery's own front end accepts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import jinja2
import pytest
from pydantic import BaseModel
from zetasql.core.exceptions import ServerError
from zetasql.types import TypeKind

from deploy.topology import ROOT
from services.shared.contract.encodings import ISO_8859_1, WINDOWS_1252
from services.shared.contract.feed import BadRows, Column, Delete, Feed
from services.shared.contract.formats import Csv, Ndjson, Parquet
from services.shared.contract.reader import read_feed
from services.shared.contract.types import TYPES
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.statements.analyser import type_of
from tests.harness.statements.feeds import UNKNOWN, features, shapes, wide
from tests.harness.statements.statements import (
    PROJECT,
    AnalysingWarehouse,
    merge_statement,
    normalised,
    send_all,
    send_journal_upgrade,
    send_widening,
    unseen,
)

_MAX_TEXT = 1024 * 1024  # characters of a statement, by BigQuery's limits
_ACCOUNTS = read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml")
_FEEDS = {_ACCOUNTS.name: _ACCOUNTS, **features(), **shapes()}


_templates: set[Path] = set()
"""Those that statements came from."""


@contextmanager
def _recording() -> Iterator[None]:
    get = jinja2.Environment.get_template

    def recorded(environment: jinja2.Environment, name: str, *more: Any) -> jinja2.Template:
        template = get(environment, name, *more)
        _templates.add(Path(template.filename or ""))
        return template

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "get_template", recorded)
        yield


@cache
def _sent(feed: str) -> AnalysingWarehouse:
    with _recording():
        return send_all(_FEEDS[feed])


@pytest.mark.parametrize("feed", _FEEDS.values(), ids=_FEEDS)
def test_statements_for_a_feature_of_a_feed(feed: Feed) -> None:
    """From the raw table to the view, every name resolves, and each column keeps the contract's type."""
    warehouse = _sent(feed.name)
    assert sum(sql.startswith("BEGIN TRANSACTION") for sql, _ in warehouse.sent) == 1
    contract = {
        column.name: TypeKind.TYPE_ARRAY if column.mode == "REPEATED" else type_of(column.type).type_kind
        for column in feed.columns
    }
    added = dict.fromkeys(UNKNOWN["add"] if feed.unknown_columns == "add" else (), type_of("STRING").type_kind)
    staging = f"staging.{Load(feed.name, ObjectGeneration('landing', '0.csv', 0)).staging_table(feed.fingerprint)}"
    for table, expected in ((staging, contract | added), (f"{feed.table}_current", contract)):
        found = {name: kind.type_kind for name, kind in warehouse.analyser.columns(f"{PROJECT}.{table}").items()}
        assert {name: kind for name, kind in found.items() if not name.startswith("_")} == expected


def test_statements_for_a_wide_contract() -> None:
    """A contract of 120 columns of every type nests no expression deeper."""
    assert send_all(wide(120)).sent


def test_statements_for_many_loads() -> None:
    """A full group commit stays within BigQuery's limit on a statement's length."""
    merge = merge_statement(wide(3), 100)
    assert merge.count("UNION ALL") == 99
    assert len(merge) < _MAX_TEXT


def test_every_feature_of_a_contract_is_in_use() -> None:
    """Each field, and each word that a field may be, is in one of the contracts whose statements are analysed."""
    used = {entry for feed in _FEEDS.values() for entry in _entries(feed)}
    possible = set()
    for model in (Feed, Csv, Ndjson, Parquet, Delete, Column, BadRows):
        for name, field in model.model_fields.items():
            words: tuple[str, ...] = ("",)
            if (model, name) == (Column, "type"):
                words = tuple(TYPES)
            elif name == "encoding":
                # The others are the load job's alone.
                words = (ISO_8859_1, WINDOWS_1252) if model is Csv else ("utf-8",)
            elif get_origin(field.annotation) is Literal:
                words = get_args(field.annotation)
            possible |= {(model.__name__, name, word) for word in words}
    assert possible - used == set()


def _entries(model: BaseModel) -> Iterator[tuple[str, str, str]]:
    """Model, field and, where the field is one of some words, the word."""
    for name in model.model_fields_set:
        value: Any = getattr(model, name)
        is_word = name == "type" or get_origin(type(model).model_fields[name].annotation) is Literal
        yield type(model).__name__, name, value if is_word else ""
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel):
                yield from _entries(one)


def test_every_template_is_analysed() -> None:
    """No .sql file of the services is left that the statements above do not come from."""
    for name in ("accounts", "few_lines", "few_typed", "append", "snapshot", "escaped", "newest_file", "seldom"):
        _sent(name)
    with _recording():
        send_widening(_ACCOUNTS)
        send_journal_upgrade()
    paths = [path for part in ("ingest", "merge", "shared") for path in (ROOT / "services" / part).rglob("*.sql")]
    assert len(paths) > 5
    # Those of the views are no templates: test_views.py and test_views_of_loads.py have Google's engine answer them.
    assert {path for path in paths if path.parent.name != "views"} == _templates


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT customer FROM `local.main.accounts`", "customer"),
        ("SELECT customer_id + 1 FROM `local.main.accounts`", "No matching signature"),
        ("INSERT INTO `local.ops.lock_main_accounts` (main, merges) VALUES ('m', 'x')", "INT64"),
        ("SELECT @nothing", "nothing"),
        ("SELECT CAST('1' AS DOUBLE)", "DOUBLE"),
        ("SELECT JSON '1' > JSON '2'", "JSON"),
        ("SELECT TIMESTAMP '2025-01-01 00:00:00.123456789+00'", "Invalid TIMESTAMP"),
        ("SELECT 1 FRO x", "Syntax error"),
    ],
)
def test_a_wrong_statement_is_refused(sql: str, words: str) -> None:
    """The analyser does refuse; if it did not, the tests above would say nothing."""
    with pytest.raises(ServerError, match=words):
        _sent("accounts").analyser.analyse(sql, {})


def test_a_statement_that_no_analysis_has_seen_is_found() -> None:
    """Groups of any size are one statement; another table, column or parameter makes another."""
    accounts = {_ACCOUNTS.name: _ACCOUNTS}
    sent = send_all(_ACCOUNTS, 3).sent
    (check, *_), (merge,) = sent, [one for one in sent if one[0].startswith("BEGIN TRANSACTION")]
    assert unseen(sent, accounts) == []
    others = [
        (merge[0].replace("main.accounts", "main.others"), merge[1]),
        (merge[0].replace("_generation", "generation"), merge[1]),
        (check[0], check[1][1:]),
        ("SELECT 1", ()),
    ]
    assert unseen([*sent, *others], accounts) == sorted(map(normalised, others))
