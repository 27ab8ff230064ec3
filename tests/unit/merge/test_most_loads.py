"""G5: a group is as large as one statement can be."""

import pytest

from deploy.topology import ROOT
from services.merge.merge_loads import MAX_LOADS, max_loads
from services.shared.contract.order import column_names, ranking
from services.shared.load import staging_table
from services.shared.sql import Templates
from tests.harness.statements.feeds import wide

_LIMIT = 1024 * 1024
"""Characters of a statement (https://cloud.google.com/bigquery/quotas#query_jobs)."""


@pytest.mark.parametrize("columns", [1, 100, 300, 1000, 1500])
def test_g5_a_group_stays_within_bigquery_s_limit_on_a_statement(columns: int) -> None:
    """All that wait are merged together where the statement has room; fewer, at least one, for a wide contract."""
    feed = wide(columns)
    loads = max_loads(feed)
    tables = {name: f"project-with-thirty-characters.main.{name}" for name in ("main", "ledger", "lock")}
    load_ids = [f"{n:020x}" for n in range(loads)]
    staging = [f"project-with-thirty-characters.staging.{staging_table('f' * 63, one)}" for one in load_ids]
    sql = Templates(ROOT / "services" / "merge").render(
        "merge.sql",
        feed=feed,
        **tables,
        staging=staging,
        load_ids=load_ids,
        merge_id="m" * 32,
        no_lock="",
        bounds=[],
        ranking=ranking(feed),
        names=column_names(feed),
    )
    assert len(sql) < _LIMIT
    assert loads == MAX_LOADS if columns <= 100 else 1 <= loads < MAX_LOADS
