"""The parts of the local cloud are given the names that the topology has."""

from itertools import pairwise
from pathlib import Path

import pytest

from deploy import topology
from deploy.topology import ROOT
from localcloud import parts
from localcloud.environment import RETRY_SPEED, retry_speed
from localcloud.errors import CloudError
from localcloud.ports import choose

_RENAMED = {
    "incoming/": "dropped/",
    "file-arrived": "new-file",
    "file-staged": "new-load",
    "ingest-dead-letter": "ingest-failed",
    "merge-dead-letter": "merge-failed",
}


def test_parts_take_topics_and_the_landing_prefix_from_the_topology(tmp_path: Path) -> None:
    """A name changed in the topology is the one that bucket and services get; the old one is given to no part."""
    text = topology.TOPOLOGY.read_text(encoding="utf-8")
    for old, new in _RENAMED.items():
        text = text.replace(old, new)
    file = tmp_path / "topology.yaml"
    file.write_text(text, encoding="utf-8")
    ports = choose(0)
    plan = parts.Plan(tmp_path, ports, tmp_path, ROOT / "services", f"127.0.0.1:{ports['bus']}")
    built = parts.build(plan, topology.read(file))
    bucket = built["bucket"].command
    assert bucket[bucket.index("-event.pubsub-topic") + 1] == "new-file"
    for name in topology.SERVICES:
        given = built[name].variables
        assert given["DROPMERGE_LANDING_PREFIX"] == "dropped/"
        assert given["DROPMERGE_STAGED_TOPIC"] == "new-load"
        assert given["DROPMERGE_DEAD_LETTER_TOPIC"] == f"{name}-failed"
    words = {word for part in built.values() for word in (*part.command, *part.variables.values())}
    assert words.isdisjoint(_RENAMED)


def test_the_named_buckets_are_the_topology_s() -> None:
    """The keys that code and Terraform use are all the buckets that there are."""
    assert set(topology.read().buckets) == {topology.LANDING, topology.ARCHIVE}


@pytest.mark.parametrize("text", ["0", "-1", "fast", "inf", "nan"])
def test_a_retry_speed_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(RETRY_SPEED, text)
    with pytest.raises(CloudError, match=f"{RETRY_SPEED} is '{text}'"):
        retry_speed()


def test_the_bus_knows_how_many_requests_each_service_takes(tmp_path: Path) -> None:
    """All instances of a service have so many threads."""
    ports, wanted = choose(0), topology.read()
    plan = parts.Plan(tmp_path, ports, tmp_path, ROOT / "services", f"127.0.0.1:{ports['bus']}")
    command = parts.build(plan, wanted)["bus"].command
    given = {word for flag, word in pairwise(command) if flag == "--places"}
    assert given == {f"{name}={one['threads'] * one['instances']}" for name, one in wanted.services.items()}
