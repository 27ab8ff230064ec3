"""Both services within the test's process, on a real bucket and warehouse: each is deployed when the test says so.

Messages wait in a queue that the test empties in its own order, so that every interleaving of deployments and
deliveries can be tried, and a deployment takes no time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from google.cloud import storage

from services.ingest.stage_file import Stager
from services.merge.merge_loads import Merger
from services.shared.contract.feed import Feed
from services.shared.delivery import Handler, handle
from services.shared.generation import ObjectGeneration
from services.shared.journal import Journal
from services.shared.messages.announcement import announcement
from services.shared.messages.dead_letter import DeadLetter
from services.shared.publisher import Message, Publisher
from services.shared.settings import Settings
from services.shared.warehouse import Warehouse, connect
from tests.harness.pipeline import Pipeline

BUCKET = "dropped"
"""No notification is sent of its objects: the test sends them."""
_MAX_ATTEMPTS = 20
"""Of deliveries, as deploy/topology.yaml has it."""
_SOURCES = {"ingest": "file-arrived", "merge": "file-staged"}


@dataclass(frozen=True)
class Waiting:
    """A message that a service has not acknowledged."""

    service: str
    data: bytes
    attributes: Mapping[str, str]
    attempt: int = 1


class _Captured(Publisher):
    """Publishes to the test."""

    def __init__(self, world: World) -> None:
        self._world = world

    def publish(self, topic: str, messages: Sequence[Message]) -> list[str]:
        return [self._world.take(topic, data, dict(attributes)) for data, attributes in messages]


@dataclass
class World:
    pipeline: Pipeline
    waiting: list[Waiting] = field(default_factory=list)
    dead_letters: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    """Service, data and attributes."""
    deployed: dict[str, Feed] = field(default_factory=dict)
    """The contract that each service runs."""
    asked: int = 0
    """How often merge asked for a file to be read anew."""
    _handlers: dict[str, Handler] = field(default_factory=dict)

    def __post_init__(self) -> None:
        client = connect("local", "US")
        self._publisher = _Captured(self)
        self._warehouse = Warehouse(client, 60.0)
        self._journal = {service: Journal(client, service) for service in _SOURCES}
        self._storage: storage.Client = self.pipeline.connection.storage
        if not self._storage.bucket(BUCKET).exists():
            self._storage.create_bucket(BUCKET)

    def deploy(self, service: str, feed: Feed) -> None:
        """The service is started anew, with this contract only."""
        self.deployed[service] = feed
        feeds = {feed.name: feed}
        if service == "ingest":
            self._handlers[service] = Stager(
                self._settings(service), feeds, self._storage, self._warehouse, self._publisher, self._journal[service]
            )
        else:
            self._handlers[service] = Merger(self._settings(service), feeds, self._warehouse, self._publisher)

    def running_process(self, service: str) -> Handler:
        """The one that was deployed last."""
        return self._handlers[service]

    def switch_to(self, service: str, process: Handler) -> None:
        """Its messages go to this process from now on, which has never stopped."""
        self._handlers[service] = process

    def drop(self, feed: str, name: str, data: bytes) -> ObjectGeneration:
        """Upload a file, and let its notification wait."""
        blob = self._storage.bucket(BUCKET).blob(f"incoming/{feed}/{name}")
        blob.upload_from_string(data)
        source = ObjectGeneration(BUCKET, blob.name, int(blob.generation))
        data, attributes = announcement(source, "nobody")
        attributes = {key: text for key, text in attributes.items() if key != "announced_by"}
        self.waiting.append(Waiting("ingest", data, attributes))
        return source

    def deliver(self, number: int) -> None:
        """Push one of the waiting messages; not acknowledged, it goes to the end of the queue, at last to the dead
        letters."""
        one = self.waiting.pop(number % len(self.waiting))
        message = {
            "data": base64.b64encode(one.data).decode(),
            "attributes": dict(one.attributes),
            "messageId": "1",
        }
        body = json.dumps({"message": message, "deliveryAttempt": one.attempt}).encode()
        settings, journal = self._settings(one.service), self._journal[one.service]
        _, status = handle(body, self._handlers[one.service], settings, self._publisher, journal)
        if status != 204 and one.attempt < _MAX_ATTEMPTS:
            self.waiting.append(replace(one, attempt=one.attempt + 1))
        elif status != 204:
            self.dead_letters.append((one.service, one.data, dict(one.attributes)))

    def deliver_all(self, most: int = 200) -> None:
        """Push until nothing waits; fails where something always does."""
        for _ in range(most):
            if not self.waiting:
                return
            self.deliver(0)
        raise AssertionError(f"still waiting: {self.waiting}")

    def take(self, topic: str, data: bytes, attributes: dict[str, str]) -> str:
        """A message that a service publishes."""
        for service, source in _SOURCES.items():
            if topic == source:
                self.asked += attributes.get("announced_by") == "merge"
                self.waiting.append(Waiting(service, data, attributes))
            elif topic == f"{service}-dead-letter":
                self.dead_letters.append((service, data, attributes))
        return "1"

    def replay(self) -> None:
        """Every dead letter's original waits again, as `dead-letters replay` publishes it."""
        letters, self.dead_letters = list(self._decoded()), []
        for service, original in letters:
            again = {**original.attributes, "replay_of": original.id, "replay_count": "1"}
            self.waiting.append(Waiting(service, original.data, again))

    def settle(self) -> None:
        """Deliver all, and what failed once more."""
        self.deliver_all()
        self.replay()
        self.deliver_all()

    def reasons(self) -> dict[int, str]:
        """By generation, why a file is a dead letter."""
        found = {}
        for _, letter in self._decoded():
            assert letter.generation is not None, letter
            found[letter.generation] = letter.reason
        return found

    @contextmanager
    def running(self, history: object) -> Iterator[None]:
        """Nothing waits after the block. An AssertionError in it names the history too."""
        try:
            yield
        except AssertionError as error:
            raise AssertionError(f"{error}\n\n{history}") from error
        finally:
            self.asked = 0
            self.waiting.clear()
            self.dead_letters.clear()

    def drop_tables(self, feed: str) -> None:
        """All that a feed of any mode has, whose table is called as it is."""
        for view in ("current", "history"):
            self.rows(f"DROP VIEW IF EXISTS `main.{feed}_{view}`")
        for name in (f"main.{feed}", f"main.{feed}_versions", f"ops.lock_main_{feed}"):
            self.pipeline.connection.warehouse.drop_table(f"local.{name}")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.pipeline.connection.rows(sql)]

    def _decoded(self) -> Iterator[tuple[str, DeadLetter]]:
        for number, (service, data, attributes) in enumerate(self.dead_letters):
            pulled: Any = Pulled(data, attributes, str(number))
            yield service, DeadLetter.decode(service, pulled, {})

    def _settings(self, service: str) -> Settings:
        return Settings(  # type: ignore[call-arg]  # the rest has defaults
            GOOGLE_CLOUD_PROJECT="local",
            service=service,  # type: ignore[arg-type]  # it is checked
            feeds=Path("feeds"),
            dead_letter_topic=f"{service}-dead-letter",
            budget_seconds=60.0,
        )


@dataclass(frozen=True)
class Pulled:
    """As a subscriber's message."""

    data: bytes
    attributes: Mapping[str, str]
    message_id: str
    publish_time: Any = None
