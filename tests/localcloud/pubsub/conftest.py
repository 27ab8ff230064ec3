"""Fixtures: a bus and an endpoint for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.pubsub import Endpoint, RunningBus


@pytest.fixture(scope="session")
def shared_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """One process for all tests that do not end it."""
    running = RunningBus(tmp_path_factory.mktemp("bus"))
    yield running
    running.end()


@pytest.fixture
def bus(shared_bus: RunningBus) -> Iterator[RunningBus]:
    """A bus without topics and subscriptions."""
    yield shared_bus
    shared_bus.clear()


@pytest.fixture
def own_bus(tmp_path: Path) -> Iterator[RunningBus]:
    """A bus that the test may kill and start again."""
    running = RunningBus(tmp_path / "bus")
    yield running
    running.end()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An HTTP endpoint to push to."""
    listening = Endpoint()
    yield listening
    listening.close()
