"""Every statement that `feeds test` and `preview` send is one that BigQuery's own front end accepts."""

from __future__ import annotations

import pytest

from deploy.topology import ROOT
from dropmerge.operations.trial.effect import expected_effect, keep_before, merged_effect
from dropmerge.operations.trial.files import _SQL
from services.merge.follow import definition
from services.merge.main_table import MainTables
from services.merge.pruning import key_range
from services.merge.staged import Staged
from services.shared.contract.feed import Feed
from services.shared.contract.reader import read_feed
from services.shared.tables import table
from tests.harness.main_table import described
from tests.harness.statements.analyser import Analyser
from tests.harness.statements.feeds import features
from tests.harness.statements.statements import AnalysingWarehouse

_FEEDS = [read_feed(ROOT / "deploy" / "feeds" / "accounts.yaml"), *features().values()]


@pytest.mark.parametrize("feed", _FEEDS, ids=lambda feed: feed.name)
def test_what_counts_the_effect_of_a_load_is_analysed(feed: Feed) -> None:
    """Of one that was merged, of one that was not, and where there is no main table."""
    warehouse = AnalysingWarehouse(Analyser())
    main, before, staged = f"local.{feed.table}", "local.staging._before", Staged("l" * 20, "local.staging._staged")
    MainTables(warehouse, "local").ensure(feed)
    warehouse._create(described(staged.table, definition(feed)))
    keep_before(warehouse, feed, main, before)
    kept = [one for one in definition(feed) if one.name in (*feed.key, "_deleted")]
    warehouse._create(described(before, kept))
    merged_effect(warehouse, feed, staged, before, main)
    expected_effect(warehouse, feed, staged, main, key_range(warehouse, feed, [staged.table]))
    expected_effect(warehouse, feed, staged, None)
    rows = _SQL.render("current_rows.sql", feed=feed, current=f"{main}_current")
    warehouse._create(described(f"{main}_current", definition(feed)[: len(feed.columns)]))
    warehouse.query(rows, {"most": ("INT64", 5)})


def test_what_reads_rejected_rows_is_analysed() -> None:
    warehouse = AnalysingWarehouse(Analyser())
    warehouse._create(table("local", "rejected_rows", "local.staging._rejected"))
    warehouse.query("CREATE TABLE `local.staging._checked` AS SELECT ['why'] AS _reasons")
    warehouse.query(_SQL.render("count_reasons.sql", rejected="local.staging._rejected"))
    warehouse.query(_SQL.render("rejected_rows.sql", rejected="local.staging._rejected"), {"most": ("INT64", 5)})
    warehouse.query(_SQL.render("count_checked.sql", checked="local.staging._checked"))
