"""G1, G3, G5, G7: whatever the mode, the version and what repeats, the table is the oracle's."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.changes.world import World
from tests.harness.modes.history import MODES, histories, run
from tests.harness.pipeline import Pipeline


@pytest.fixture(scope="module")
def world(pipeline: Pipeline) -> World:
    return World(pipeline)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a failure is shrunk, which takes many runs
@settings(max_examples=2, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("mode", MODES)
@given(data=st.data())
def test_g1_random_histories_of_every_mode(world: World, mode: str, data: st.DataObject) -> None:
    """The few histories are always the same; the program `modes` runs others."""
    run(world, data.draw(histories(mode)))
