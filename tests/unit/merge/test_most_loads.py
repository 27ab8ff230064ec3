"""G5: a group is as large as one statement can be."""

import pytest

from services.merge.statement import MAX_LOADS, fit_group, merge_statement
from tests.harness.main_table import main_table, staged
from tests.harness.statements.feeds import wide

_PROJECT = "project-with-thirty-characters"
_LIMIT = 1024 * 1024
"""Characters of a statement (https://cloud.google.com/bigquery/quotas#query_jobs)."""


@pytest.mark.parametrize("columns", [1, 100, 300, 1000, 1500])
def test_g5_a_group_stays_within_bigquery_s_limit_on_a_statement(columns: int) -> None:
    """All that wait where it can be; fewer, at least one, for a wide contract; the first always."""
    feed = wide(columns)
    waiting = staged(_PROJECT, feed, [f"{n:020x}" for n in range(2 * MAX_LOADS)])
    main = main_table(feed)
    group = fit_group(_PROJECT, feed, main, waiting)
    bounds = [("k" * 128, operator, "'" + "x" * 100 + "'") for operator in (">=", "<=")] * 2
    assert len(merge_statement(_PROJECT, feed, main, group, "m" * 32, bounds)) < _LIMIT
    assert list(group) == waiting[: len(group)]
    assert len(group) == MAX_LOADS if columns == 1 else 1 <= len(group) < MAX_LOADS


def test_g5_a_group_that_fits_is_not_cut() -> None:
    """As many are left out as the statement is too long for, and hardly more."""
    feed = wide(1000)
    main, waiting = main_table(feed), staged(_PROJECT, feed, [f"{n:020x}" for n in range(MAX_LOADS)])
    group = fit_group(_PROJECT, feed, main, waiting)
    assert len(merge_statement(_PROJECT, feed, main, waiting[: len(group) * 11 // 10 + 1])) > 900_000
    assert fit_group(_PROJECT, feed, main, group) == group
