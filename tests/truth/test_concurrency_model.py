"""G5: merges of one feed that run at once, in every interleaving of their steps, on a model of BigQuery's rules."""

import pytest

from tests.truth.concurrency_model import Rules, explore

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
    """No key twice, no load recorded twice, none lost, no table left behind, no dead letter, the newest row there."""
    explored = explore(rules)
    assert explored.faults == {}
    assert explored.ends > 0
    assert explored.worlds > at_least
