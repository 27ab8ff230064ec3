"""G5: merges of one feed that run at once are right in every interleaving, on a model of BigQuery's rules."""

from dataclasses import replace

import pytest
import sqlglot
from sqlglot import exp

from services.merge.statement import merge_statement
from services.shared.contract.feed import Feed
from tests.harness.histories.feeds import YAML
from tests.harness.main_table import main_table, staged
from tests.histories.concurrency_model import Rules, explore, start

# One key that neither the table nor the other load has yet; one more each.
TWO = {"x": (("k", 1), ("a", 1)), "y": (("k", 2), ("b", 1))}
THREE = {"x": (("k", 1),), "y": (("k", 2),), "z": (("k", 3),)}


@pytest.mark.parametrize(
    ("rules", "at_least"),
    [
        pytest.param(Rules(TWO, ("x", "y")), 100, id="two loads"),
        pytest.param(Rules(TWO, ("x", "x", "y")), 100, id="a message twice"),
        pytest.param(Rules(TWO, ("x", "y"), crashes=2), 1000, id="two crashes"),
        pytest.param(Rules(TWO, ("x", "y"), restages=("x",), crashes=1), 1000, id="staged again, a crash"),
        pytest.param(Rules(THREE, ("x", "y", "z")), 100, id="three loads"),
        pytest.param(Rules(THREE, ("x", "y", "z"), processes=3), 1000, id="three at once"),
    ],
)
def test_g5_with_the_lock_every_interleaving_is_right(rules: Rules, at_least: int) -> None:
    """No key or load is there twice or lost, no table is left, no dead letter written; the newest row wins."""
    explored = explore(rules)
    assert explored.faults == {}
    assert explored.ends > 0
    assert explored.worlds > at_least


def test_g5_whatever_each_process_gets_to_see() -> None:
    """Loads are staged while merges are under way, so the processes list different tables."""
    explored = explore(Rules(TWO, deliveries=(), restages=("x", "y", "y"), crashes=1))
    assert explored.faults == {}
    assert explored.worlds > 1000


def test_g5_without_the_lock_a_key_is_inserted_twice() -> None:
    """The model is able to find what the lock is there for: two merges that insert one new key both commit."""
    faults = explore(Rules(TWO, ("x", "y"), lock=False)).faults
    assert {"a key is there twice", "a load is in the ledger twice"} <= set(faults)
    trace = faults["a key is there twice"].trace
    assert len([step for step in trace if step.endswith(": commits")]) == 2


def test_g5_an_update_of_the_same_row_needs_no_lock() -> None:
    """Once the keys are there, merges that update them conflict on their own; new keys are what the lock is for."""
    rules = Rules({"x": (("k", 1),), "y": (("k", 2),), "z": (("k", 3),)}, ("x", "y", "z"), lock=False)
    after_x = replace(start(rules), staging=frozenset("yz"), pending=("y", "z"), main=frozenset({(("k", 1, "x"), 1)}))
    after_x = replace(after_x, ledger=frozenset({("x", 1)}))
    assert "a key is there twice" not in explore(rules, after_x).faults


def test_g5_the_ledger_must_leave_out_what_it_holds() -> None:
    """The ledger is read before the transaction begins, so another merge may have applied the load in between."""
    faults = explore(Rules(TWO, ("x", "y"), ledger_checks=False)).faults
    assert set(faults) == {"a load is in the ledger twice"}


def test_g5_a_table_gone_before_its_merge_is_looked_for_again() -> None:
    """Were the missing table final, a load that another process has merged, or that waits, would be dead-lettered."""
    faults = explore(Rules(TWO, ("x", "y"), missing_table_is_final=True)).faults
    assert "a dead letter for nothing" in faults


def test_g5_merge_sql_takes_the_precautions_that_the_model_needs() -> None:
    """The model takes only the precautions that the sent statement has, and finds no fault."""
    feed = Feed.model_validate(YAML["readings"])
    sql = merge_statement("p", feed, main_table(feed), staged("p", feed, ["x"]), "m")
    begin, *body, record, commit = [statement for statement in sqlglot.parse(sql, read="bigquery") if statement]
    assert [type(begin), type(body[-1]), type(record), type(commit)] == [
        exp.Transaction,
        exp.Merge,
        exp.Insert,
        exp.Commit,
    ]
    known = [node.this.args["query"] for node in record.find_all(exp.Not) if isinstance(node.this, exp.In)]
    rules = Rules(
        TWO,
        ("x", "y"),
        lock=any(isinstance(one, exp.Update) and one.this.name.startswith("lock_") for one in body),
        ledger_checks=any(table.name == "ledger" for query in known for table in query.find_all(exp.Table)),
    )
    assert explore(rules).faults == {}
