"""The environment variables that the local cloud gives its parts, its services and its clients."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from deploy.topology import ARCHIVE, LANDING, ROOT, Topology
from localcloud.errors import CloudError

PROJECT = "local"

# A setting of the user's shell must not point a part to another server.
_STRIPPED = (
    "BQEMU_", "OTEL_", "GOOGLE_", "PUBSUB_", "STORAGE_EMULATOR_", "BIGQUERY_EMULATOR_", "DROPMERGE_",
    "FUNCTION_", "MONITORING_EMULATOR_",
)  # fmt: skip


RETRY_SPEED = "DROPMERGE_RETRY_SPEED"
"""How many times shorter the pauses between two tries of a message are than the topology says: for tests, which would
otherwise wait for minutes after each planted fault."""


def retry_speed() -> float:
    """Raises CloudError for what is not a positive number."""
    text = os.environ.get(RETRY_SPEED) or "1"
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < math.inf:
        raise CloudError(f"{RETRY_SPEED} is {text!r}; it is a positive number, such as 10")
    return speed


def clean() -> dict[str, str]:
    """This process's environment without what would redirect a part, and without proxies for 127.0.0.1."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_STRIPPED)}
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def clients(pubsub: str, bucket: str, warehouse: str, metrics: str) -> dict[str, str]:
    """The variables that point Google's clients and the commands at the local cloud.

    `pubsub` is host:port, the others are URLs.
    """
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "PUBSUB_EMULATOR_HOST": pubsub,
        "STORAGE_EMULATOR_HOST": bucket,
        "BIGQUERY_EMULATOR_HOST": warehouse,
        # Our own variable: no client of Google's reads it.
        "MONITORING_EMULATOR_HOST": metrics,
    }


def service(name: str, topology: Topology, feeds: Path, google: Mapping[str, str]) -> dict[str, str]:
    """What a service (`ingest` or `merge`) reads at its start, by the names that it has on Google Cloud."""
    return {
        **google,
        "DROPMERGE_SERVICE": name,
        "DROPMERGE_LOCATION": "US",
        "DROPMERGE_FEEDS": str(feeds),
        "DROPMERGE_LANDING_PREFIX": topology.buckets[LANDING]["prefix"],
        "DROPMERGE_IGNORE": json.dumps(topology.buckets[LANDING]["ignore"]),
        "DROPMERGE_ARRIVED_TOPIC": topology.source_topic("ingest"),
        "DROPMERGE_ARCHIVE_BUCKET": ARCHIVE,
        "DROPMERGE_STAGED_TOPIC": topology.source_topic("merge"),
        "DROPMERGE_DEAD_LETTER_TOPIC": topology.dead_letter_topic(name),
        # No grant is on its way here: what is missing is missing.
        "DROPMERGE_PATIENCE_SECONDS": "0",
        "PYTHONPATH": str(ROOT),
    }
