"""G1: the statement that merges compares keys within their bounds only."""

from services.merge.statement import merge_statement
from services.shared.contract.feed import Feed
from tests.harness.histories.feeds import YAML
from tests.harness.main_table import main_table, staged


def test_the_bounds_stand_in_the_merge_s_condition() -> None:
    """BigQuery prunes by constants in the condition of the MERGE, so the bounds of the first key column are there."""
    feed = Feed.model_validate(YAML["readings"])
    bounds = [(feed.key[0], ">=", "'low'"), (feed.key[0], "<=", "'high'")]
    sql = merge_statement("p", feed, main_table(feed), staged("p", feed, ["x"]), "m", bounds)
    on, _, when = sql.partition("\nON ")[2].partition("WHEN MATCHED")
    assert [f"AND _t.`{column}` {operator} {text}" in on for column, operator, text in bounds] == [True, True]
    assert when
