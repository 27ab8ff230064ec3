"""What exists around the services, read from topology.yaml: Terraform reads the same file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Settings = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
"""The project's folder."""
TOPOLOGY = ROOT / "deploy" / "topology.yaml"
SERVICES = ("ingest", "merge")


@dataclass(frozen=True)
class Topology:
    """What the file says, section by section."""

    buckets: dict[str, Settings]
    datasets: dict[str, Settings]
    topics: list[str]
    subscriptions: dict[str, Settings]
    services: dict[str, Settings]


def read(path: Path = TOPOLOGY) -> Topology:
    """The topology in this file."""
    return Topology(**yaml.safe_load(path.read_text(encoding="utf-8")))
