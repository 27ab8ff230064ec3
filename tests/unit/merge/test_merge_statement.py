"""G1: the statement that merges compares keys within their bounds only."""

import sqlglot
from sqlglot import exp

from services.shared.contract.feed import Feed
from tests.harness.histories.feeds import YAML
from tests.harness.statements.statements import EXAMPLES, merge_statement


def test_the_bounds_stand_in_the_merge_s_condition() -> None:
    """BigQuery prunes by constants in the condition of the MERGE, so the bounds of the first key column are there."""
    feed = Feed.model_validate(YAML["readings"])
    (merge,) = [one for one in sqlglot.parse(merge_statement(feed), read="bigquery") if isinstance(one, exp.Merge)]
    bounds = {
        (type(one), one.expression.name)
        for one in merge.args["on"].find_all(exp.GTE, exp.LTE)
        if one.this == sqlglot.parse_one(f"_t.`{feed.key[0]}`", read="bigquery")
    }
    assert bounds == {(exp.GTE, EXAMPLES["STRING"]), (exp.LTE, EXAMPLES["STRING"])}
