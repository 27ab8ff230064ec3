"""A Pub/Sub server and an endpoint for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.pubsub import Endpoint, RunningServer


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One process for all tests that do not end it."""
    running = RunningServer(tmp_path_factory.mktemp("pubsub"))
    yield running
    running.end()


@pytest.fixture
def server(shared_server: RunningServer) -> Iterator[RunningServer]:
    """A server without topics and subscriptions."""
    yield shared_server
    shared_server.clear()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A server that the test may kill and start again."""
    running = RunningServer(tmp_path / "pubsub")
    yield running
    running.end()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """An HTTP endpoint to push to."""
    listening = Endpoint()
    yield listening
    listening.close()
