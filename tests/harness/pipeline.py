"""A running pipeline as a test sees it: drop objects, await their ends, read tables."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from dropmerge.operations.backlog import messages_in_flight
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from dropmerge.operations.loads.find_file import find_file
from dropmerge.operations.loads.history import read_history
from dropmerge.operations.loads.in_flight import InFlight
from localcloud.cloud import LocalCloud
from services.shared.load import Load
from services.shared.messages.dead_letter import DeadLetter
from tests.harness.processes import await_end

HEADER = "customer_id,account_number,credit_score,account_balance,last_modified,operation\n"
_PATIENCE = 400.0


def row(key: str, score: object = 700, day: int = 1, operation: str = "U", balance: str = "1.5") -> str:
    """One CSV record of account `a` of customer `key`."""
    return f"{key},a,{score},{balance},2025-01-{day:02d}T00:00:00Z,{operation}\n"


class Pipeline:
    def __init__(self, cloud: LocalCloud, feeds: Any) -> None:
        self.cloud = cloud
        self._feeds = feeds
        self.connect()

    def connect(self) -> None:
        os.environ.update(self.cloud.read())
        self.connection = Connection(os.environ["GOOGLE_CLOUD_PROJECT"], self._feeds)

    def deploy(self, *services: str) -> None:
        """Start these services anew, which read the contracts that are on disk now."""
        running = [psutil.Process(int(os.environ[f"DROPMERGE_{service.upper()}_PID"])) for service in services]
        for process in running:
            process.terminate()
        await_end(running, _PATIENCE)
        self.cloud.up()
        self.connect()

    def drop(self, name: str, data: str | bytes, feed: str = "accounts") -> str:
        """Upload an object to the landing bucket; returns gs://landing/…#generation."""
        blob = self.connection.storage.bucket("landing").blob(f"incoming/{feed}/{name}")
        blob.upload_from_string(data if isinstance(data, bytes) else data.encode())
        return f"gs://landing/{blob.name}#{blob.generation}"

    def announce(self, uri: str, times: int = 1, **more: str) -> None:
        """Publish the notification of an object's generation by hand."""
        place, _, generation = uri.removeprefix("gs://").partition("#")
        bucket, _, name = place.partition("/")
        attributes = {
            "eventType": "OBJECT_FINALIZE",
            "bucketId": bucket,
            "objectId": name,
            "objectGeneration": generation,
            "payloadFormat": "JSON_API_V1",
            **more,
        }
        for _ in range(times):
            self.publish("file-arrived", b"{}", attributes)

    def contract(self, feed: str) -> str:
        """The fingerprint of a feed's contract, as it is on disk."""
        return self.connection.feeds[feed].fingerprint

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        (message_id,) = self.connection.publisher.publish(topic, [(data, attributes)])
        return message_id

    def wait_until_idle(self, patience: float = _PATIENCE) -> None:
        """Wait until nothing is in flight, for at most `patience` seconds."""
        in_flight, deadline = InFlight(self.connection), time.monotonic() + patience
        while True:
            # The bus is asked for next to nothing; a snapshot's queries would slow down what is waited for.
            while messages_in_flight(self.connection) and time.monotonic() < deadline:
                time.sleep(0.05)
            snapshot = in_flight.snapshot()
            if snapshot.is_idle:
                return
            assert time.monotonic() < deadline, f"in flight: {snapshot.pending}, {snapshot.messages} messages"
            time.sleep(0.1)

    def load_id(self, uri: str) -> str:
        """Of the load of gs://bucket/object#generation."""
        source = find_file(self.connection, uri)
        feed = self.connection.feed_of(source.name)
        assert feed
        return Load(feed.name, source).load_id

    def explain(self, uri: str) -> dict[str, Any]:
        return read_history(self.connection, find_file(self.connection, uri)).as_json()

    def scores(self, keys: Sequence[str], feed: str = "accounts") -> dict[str, int | None]:
        """The credit scores of these customers in the feed's current rows."""
        found = self.connection.rows(
            f"SELECT customer_id, credit_score FROM `main.{feed}_current` WHERE customer_id IN UNNEST(SPLIT(@keys))",
            {"keys": ("STRING", ",".join(keys))},
        )
        scores = {one["customer_id"]: one["credit_score"] for one in found}
        assert len(scores) == len(found), f"a key is there twice: {found}"
        return scores

    def dead_letters(self) -> list[DeadLetter]:
        with DeadLetterSubscription(self.connection) as mailbox:
            return [dead_letter for batch in mailbox.batches() for dead_letter in batch]

    def dead_letter(self, uri: str) -> DeadLetter:
        """The one dead letter of an object's generation."""
        generation = int(uri.rpartition("#")[2])
        (found,) = [dead_letter for dead_letter in self.dead_letters() if dead_letter.generation == generation]
        return found
