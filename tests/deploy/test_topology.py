"""The names of deploy/topology.yaml, on a local cloud and on Google Cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import topology
from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.status.attention import _look_at
from dropmerge.operations.status.states import ServiceState

TOPOLOGY = topology.read()


def test_on_google_every_topic_and_subscription_has_the_prefix_and_they_still_fit_together() -> None:
    """Where a name is used in another section, it is the same one."""
    there = TOPOLOGY.on_google()
    names = [*there.topics, *there.subscriptions]
    assert all(name.startswith("dropmerge-") for name in names)
    assert {one["topic"] for one in there.subscriptions.values()} <= set(there.topics)
    for service in SERVICES:
        assert there.push_subscription(service) == f"dropmerge-{service}"
        assert there.dead_letter_topic(service) in there.topics
        assert there.dead_letter_subscription(service) == f"dropmerge-{service}-dead-letter"
        assert there.dead_letter_table_subscription(service) == f"dropmerge-{service}-dead-letter-table"
    assert there.datasets == TOPOLOGY.datasets


def test_a_command_asks_for_the_names_of_the_cloud_that_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulator has the short ones, Google the others."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    assert Connection("p", Path("feeds")).topology.source_topic("ingest") == "file-arrived"
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST")
    assert Connection("p", Path("feeds")).topology.source_topic("ingest") == "dropmerge-file-arrived"


def test_the_logs_that_status_names_are_those_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that it has on Google Cloud."""
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    command = _look_at(Connection("p", Path("feeds"), "p-"), "merge", ServiceState.FAILING)
    assert 'service_name="dropmerge-merge"' in command
