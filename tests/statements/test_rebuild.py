"""Every statement that `rebuild` and `verify` send is one that BigQuery's own front end accepts."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.topology import ROOT
from dropmerge.operations.adopt import adopted_table
from dropmerge.operations.rebuild.adopted import stage_adopted
from dropmerge.operations.rebuild.build import Build
from dropmerge.operations.rebuild.live import merged_loads
from dropmerge.operations.rebuild.swap import Swap, abandon
from dropmerge.operations.rebuild.verify import Verification
from services.merge.entries import new_entry
from services.merge.follow import definition
from services.merge.main_table import MainTables
from services.shared.contract.feed import Feed
from services.shared.contract.history import versions_table
from services.shared.contract.reader import read_feed
from services.shared.sql import Templates
from tests.harness.main_table import CREATED, described
from tests.harness.statements.analyser import Analyser
from tests.harness.statements.feeds import features
from tests.harness.statements.statements import AnalysingWarehouse

_SQL = Templates(ROOT / "dropmerge" / "operations" / "rebuild")
_FEEDS = [read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml"), *features().values()]


def _build(feed: Feed) -> tuple[AnalysingWarehouse, Any]:
    """A warehouse that has the feed's main table, and a connection to it."""
    warehouse = AnalysingWarehouse(Analyser())
    MainTables(warehouse, "local").ensure(feed)
    warehouse._entry = {}
    return warehouse, SimpleNamespace(project="local", warehouse=warehouse, query=lambda *_, **__: [])


@pytest.mark.parametrize("feed", _FEEDS, ids=lambda feed: feed.name)
def test_what_a_rebuild_sends_is_analysed(feed: Feed) -> None:
    """Each step of the swap, of giving up, and of the rows of before the first file."""
    warehouse, connection = _build(feed)
    build = Build(connection, feed, f"{feed.table}__rebuild", "rebuild")
    build.__dict__["warehouse"] = warehouse
    main = build.ensure()
    built = new_entry(build.feed, main.table_id, main.created)
    warehouse._entry = {}
    swap = Swap(build, built)
    swap.close()
    swap.seal()
    warehouse._create(described(f"local.{adopted_table(feed)}", definition(feed)[:2]))
    assert stage_adopted(build, main, feed.table)
    merged_loads(build, [built])
    warehouse._entry = asdict(built)
    swap.place()
    warehouse._entry = {}
    warehouse._schemas.pop(f"local.{versions_table(feed.table)}", None)
    swap.reopen()
    abandon(build)
    build.discard()


@pytest.mark.parametrize("feed", _FEEDS, ids=lambda feed: feed.name)
def test_what_a_verification_sends_is_analysed(feed: Feed) -> None:
    """The one statement that compares, with and without a purge, and what reads its answer."""
    warehouse, connection = _build(feed)
    one = Verification(connection, feed)
    one.build.__dict__["warehouse"] = warehouse
    for name in (one.build.table, versions_table(one.build.table)):
        warehouse._create(described(f"local.{name}", definition(feed)))
    built = new_entry(one.build.feed, "b" * 32, CREATED)
    for purged in (None, CREATED):
        one.__dict__["_purged_before"] = lambda purged=purged: purged
        for pair in one._pairs():
            one._compare(built, built, pair)
    for pair in one._pairs():
        for name in ("count_differences.sql", "list_differences.sql"):
            warehouse.query(_SQL.render(name, differences=f"local.{pair.built}_differences", most=5))
