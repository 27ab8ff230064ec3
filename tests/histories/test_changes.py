"""G1, G9: whatever changes of a contract, its formats and notations too, and in whichever order services are deployed,
each row is its contract's."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.harness.changes.history import History, histories, run
from tests.harness.changes.world import World
from tests.harness.pipeline import Pipeline


@pytest.fixture(scope="module")
def world(pipeline: Pipeline) -> World:
    return World(pipeline)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a failure is shrunk, which takes many runs
@settings(max_examples=6, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories())
def test_g9_random_histories_with_changes_of_the_contract(world: World, history: History) -> None:
    """The few histories are always the same; the program `changes` runs others."""
    run(world, history)
