"""G1: the statement that merges compares keys within their bounds only."""

from deploy.topology import ROOT
from services.shared.contract.feed import Feed
from services.shared.contract.order import column_names, ranking
from services.shared.sql import Templates
from tests.harness.histories.feeds import YAML


def test_the_bounds_stand_in_the_merge_s_condition() -> None:
    """Beside the key, where BigQuery looks for them."""
    feed = Feed.model_validate(YAML["readings"])
    tables = {name: f"p.d.{name}" for name in ("main", "ledger", "lock")}
    bounds = [(">=", "'low'"), ("<=", "'high'")]
    sql = Templates(ROOT / "services" / "merge").render(
        "merge.sql",
        feed=feed,
        **tables,
        staging=["p.s.x"],
        load_ids=["x"],
        merge_id="m",
        no_lock="gone",
        bounds=bounds,
        ranking=ranking(feed),
        names=column_names(feed),
    )
    on, _, when = sql.partition("\nON ")[2].partition("WHEN MATCHED")
    assert [f"AND _t.`{feed.key[0]}` {operator} {text}" in on for operator, text in bounds] == [True, True]
    assert when
