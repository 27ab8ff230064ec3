"""Every statement that a command sends is one that BigQuery's own front end accepts, and none is unused."""

from __future__ import annotations

import re
from functools import cache

import pytest

from deploy.topology import ROOT
from dropmerge.operations.queries import statement
from services.merge.views import view_query
from services.shared.contract.feed import Feed
from services.shared.contract.reader import read_feed
from tests.harness.statements.analyser import Analyser
from tests.harness.statements.feeds import features
from tests.harness.statements.statements import send_all

_FOLDER = ROOT / "dropmerge" / "operations" / "queries"
_SOURCES = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "dropmerge").rglob("*.py"))
_PARAMETERS = {
    **dict.fromkeys(
        (
            "bucket",
            "object",
            "id",
            "ids",
            "which",
            "replay_of",
            "feed",
            "load_id",
            "load_ids",
            "dispatch_events",
            "generations",
            "md5",
            "objects",
            "loads",
            "reason",
            "tables",
            "ending",
            "beginning",
            "gone",
            "adopted",
            "goes_on",
            "merge_id",
            "state",
            "by",
            "prefix",
            "sources",
            "name",
            "place",
        ),
        "STRING",
    ),
    **dict.fromkeys(("since", "before", "last", "waiting_since"), "TIMESTAMP"),
    **dict.fromkeys(("generation", "most", "newest_before", "step"), "INT64"),
}
_NAMES = sorted(path.name for path in _FOLDER.glob("*.sql"))
_INCLUDED = {
    *("is_current.sql", "last_words.sql", "ledger.sql", "old_tombstones.sql"),
    *("wanted_loads.sql", "wanted_rejected_rows.sql"),
}
"""Part of other statements."""


@cache
def _feeds() -> dict[str, Feed]:
    accounts = read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml")
    return {accounts.name: accounts, **features()}


def _loads() -> str:
    return view_query("local", "loads", {"since": "@since", "is_current": statement("is_current.sql")})


@cache
def _analyser(feed: str) -> Analyser:
    """It knows the tables that the services make for a feed."""
    return send_all(_feeds()[feed]).analyser


@pytest.mark.parametrize("feed", ["accounts", "every_key", "newest_file"])
@pytest.mark.parametrize("name", [name for name in _NAMES if name not in _INCLUDED])
def test_a_statement_of_a_command_is_analysed(name: str, feed: str) -> None:
    sql = statement(name, feed=_feeds()[feed], kept="ops.kept", loads=_loads())
    key = {f"k{n}": _feeds()[feed].type_of(column).name for n, column in enumerate(_feeds()[feed].key)}
    known = {**_PARAMETERS, **key}
    used = {parameter: known[parameter] for parameter in re.findall(r"@(\w+)", sql)}
    _analyser(feed).analyse(_qualified(sql), used)


@pytest.mark.parametrize("name", _NAMES)
def test_a_statement_of_a_command_is_described_and_used(name: str) -> None:
    """It begins with what it answers, and some operation sends it, or another statement includes it."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    assert text.startswith("{# ")
    others = "".join((_FOLDER / other).read_text(encoding="utf-8") for other in _NAMES if other != name)
    assert f'"{name}"' in _SOURCES or (name in _INCLUDED and f"'{name}'" in others)


def test_operations_have_no_statement_in_their_code() -> None:
    """They are files, so that all of them are read as SQL and analysed."""
    for path in (ROOT / "dropmerge").rglob("*.py"):
        assert not re.search(r"\b(SELECT .+ FROM|INSERT INTO|DELETE FROM|MERGE)\s+`", path.read_text(encoding="utf-8"))


def _qualified(sql: str) -> str:
    """With the project, which the client adds."""
    return re.sub(r"`(ops|main|staging)\.", r"`local.\1.", sql)
