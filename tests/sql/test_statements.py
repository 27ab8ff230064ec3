"""Every statement that the services and the commands can send is one that BigQuery's own front end accepts."""

from __future__ import annotations

import ast
import re

import pytest
from zetasql.core.exceptions import ServerError

from deploy.local.environment import ROOT
from services.shared import sql as templates
from services.shared.feed import Feed, read_feed, read_feeds
from services.shared.journal import SCHEMA
from tests.sql.analyser import Analyser, columns_of, type_of
from tests.sql.feeds import features, wide
from tests.sql.statements import PROJECT, normalised, send_all

_SERVICES = ROOT / "services"
_MOST_TEXT = 1024 * 1024  # characters of a statement, by BigQuery's limits

PLACEHOLDERS = {
    "feed.table": "main.accounts",
    "where": "CAST(`customer_id` AS STRING) = @k0 AND CAST(`account_number` AS STRING) = @k1",
    "text": "1 = 1",
}
"""What stands for an expression in braces in a command's statement: name a new one here."""


@pytest.mark.parametrize("feed", features().values(), ids=features())
def test_statements_for_a_feature_of_a_feed(feed: Feed) -> None:
    """From the raw table to the main table: names, types and functions all resolve."""
    sent = send_all(feed).sent
    assert sum(sql.startswith("BEGIN TRANSACTION") for sql in sent) == 1


@pytest.mark.parametrize("loads", [1, 100])
def test_statements_for_many_loads(loads: int) -> None:
    """Of one group commit, within BigQuery's limit on a statement's length."""
    sent = send_all(wide(20), loads).sent
    assert max(map(len, sent)) < _MOST_TEXT


def test_statements_for_a_wide_contract() -> None:
    """Of 200 columns of every type."""
    sent = send_all(wide(200)).sent
    assert max(map(len, sent)) < _MOST_TEXT


def test_every_template_is_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No .sql file is left that the statements above do not come from."""
    used: set[str] = set()
    render = templates._environment.from_string

    def recording(source: str) -> object:
        used.add(source)
        return render(source)

    monkeypatch.setattr(templates._environment, "from_string", recording)
    send_all(read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml"))
    assert [path for path in _SERVICES.rglob("*.sql") if path.read_text(encoding="utf-8") not in used] == []


def inline_statements() -> list[tuple[str, str]]:
    """Where in the code, and the text, of each string that begins as a statement does."""
    found = []
    for path in sorted(_SERVICES.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            text = "" if id(node) in parts else _text(node)
            if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|CREATE|ALTER|DROP|WITH|BEGIN|TRUNCATE|EXPORT)\s", text):
                found.append((f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", text))
    return found


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    return f"{{{ast.unparse(node.value)}}}" if isinstance(node, ast.FormattedValue) else ""


@pytest.fixture(scope="module")
def warehouse() -> Analyser:
    """The tables of the accounts feed and of operations, under the names that the commands use."""
    analyser = send_all(read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml")).analyser
    analyser.add_table(f"{PROJECT}.ops.journal", columns_of(SCHEMA))
    analyser.alias_without(PROJECT)
    return analyser


@pytest.mark.parametrize("sql", [pytest.param(sql, id=where) for where, sql in inline_statements()])
def test_statements_within_the_code(warehouse: Analyser, sql: str) -> None:
    """The commands' own questions."""
    warehouse.analyse(re.sub(r"\{(.+?)\}", lambda match: PLACEHOLDERS[match[1]], sql))


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT customer FROM `main.accounts`", "customer"),
        ("SELECT customer_id + 1 FROM `main.accounts`", "No matching signature"),
        ("INSERT INTO `ops.locks` (feed, merges) VALUES (1, 'x')", "INT64"),
        ("SELECT CAST('1' AS DOUBLE)", "DOUBLE"),
        ("SELECT 1 FRO x", "Syntax error"),
    ],
)
def test_a_wrong_statement_is_refused(warehouse: Analyser, sql: str, words: str) -> None:
    """Or else all of the above would say nothing."""
    with pytest.raises(ServerError, match=words):
        warehouse.analyse(sql)


def test_normalised_statements_differ_by_more_than_ids() -> None:
    """Two groups of loads give one statement; two feeds do not."""
    feed = read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml")
    one, three = ({normalised(sql) for sql in send_all(feed, loads).sent} for loads in (1, 3))
    assert one <= three
    assert not one & {normalised(sql) for sql in send_all(wide(3)).sent if "wide" in sql}
