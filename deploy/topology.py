"""The buckets, datasets, topics and subscriptions around the services, read from topology.yaml as Terraform does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

Settings = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
"""The project's folder."""
TOPOLOGY = ROOT / "deploy" / "topology.yaml"
SERVICES = ("ingest", "merge")
"""The functions, each with a folder in services/ and a root of its name in deploy/google/."""
LANDING, ARCHIVE = "landing", "archive"
"""The buckets, by their keys in the file: files are dropped in the first, their pinned copies are in the second."""


def contract_files(folder: Path) -> list[Path]:
    """The contracts of a folder, as the services find them."""
    return sorted(path for path in folder.glob("*") if path.suffix in (".yaml", ".yml"))


@dataclass(frozen=True)
class Topology:
    """The sections of the file."""

    name_prefix: str
    python: str
    buckets: dict[str, Settings]
    datasets: dict[str, Settings]
    topics: dict[str, Settings]
    subscriptions: dict[str, Settings]
    services: dict[str, Settings]

    def on_google(self) -> Topology:
        """With the names that topics and subscriptions have on Google Cloud. A local cloud has those of the file."""
        topics = {f"{self.name_prefix}{name}": one for name, one in self.topics.items()}
        subscriptions = {f"{self.name_prefix}{name}": self._on_google(one) for name, one in self.subscriptions.items()}
        return replace(self, topics=topics, subscriptions=subscriptions)

    def _on_google(self, subscription: Settings) -> Settings:
        named = {**subscription, "topic": f"{self.name_prefix}{subscription['topic']}"}
        if dead := subscription.get("dead_letter"):
            named["dead_letter"] = {**dead, "topic": f"{self.name_prefix}{dead['topic']}"}
        return named

    def push_subscription(self, service: str) -> str:
        """The subscription that delivers messages to a service."""
        (name,) = [name for name, one in self.subscriptions.items() if one.get("push_to") == service]
        return name

    def source_topic(self, service: str) -> str:
        """The topic that a service's messages come from."""
        return str(self.subscriptions[self.push_subscription(service)]["topic"])

    def dead_letter_topic(self, service: str) -> str:
        """The topic that a service's dead letters go to, those of Pub/Sub itself too."""
        return str(self.subscriptions[self.push_subscription(service)]["dead_letter"]["topic"])

    def dead_letter_subscription(self, service: str) -> str:
        """The subscription in which a service's dead letters wait."""
        (name,) = [name for name in self._of_dead_letters(service) if "to_table" not in self.subscriptions[name]]
        return name

    def dead_letter_table_subscription(self, service: str) -> str:
        """The subscription that writes a service's dead letters to a table."""
        (name,) = [name for name in self._of_dead_letters(service) if "to_table" in self.subscriptions[name]]
        return name

    def _of_dead_letters(self, service: str) -> list[str]:
        topic = self.dead_letter_topic(service)
        return [name for name, one in self.subscriptions.items() if one["topic"] == topic]


def read(path: Path = TOPOLOGY) -> Topology:
    """Reads the topology from a file."""
    return Topology(**yaml.safe_load(path.read_text(encoding="utf-8")))
