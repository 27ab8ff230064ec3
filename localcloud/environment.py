"""The environment variables of the local cloud: its services', its clients', its parts'."""

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.topology import ROOT

PROJECT = "local"

# A setting of the person's shell must not point a part anywhere else, nor make it call out.
_STRIPPED = (
    "BQEMU_", "OTEL_", "GOOGLE_", "PUBSUB_", "STORAGE_EMULATOR_", "BIGQUERY_EMULATOR_", "DROPMERGE_",
    "FUNCTION_", "MONITORING_EMULATOR_",
)  # fmt: skip


def clean() -> dict[str, str]:
    """This process's environment without what would redirect a part, and without proxies for 127.0.0.1."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_STRIPPED)}
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def clients(bus: str, bucket: str, warehouse: str, metrics: str) -> dict[str, str]:
    """What points any Google client, and our commands, at the local cloud; `bus` is host:port, the others are URLs."""
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "PUBSUB_EMULATOR_HOST": bus,
        "STORAGE_EMULATOR_HOST": bucket,
        "BIGQUERY_EMULATOR_HOST": warehouse,
        # Ours: no client of Google's reads it.
        "MONITORING_EMULATOR_HOST": metrics,
    }


def service(name: str, feeds: Path, google: Mapping[str, str]) -> dict[str, str]:
    """What a service (`ingest` or `merge`) reads at its start, the same names as on Google Cloud."""
    return {
        **google,
        "DROPMERGE_SERVICE": name,
        "DROPMERGE_LOCATION": "US",
        "DROPMERGE_FEEDS": str(feeds),
        "DROPMERGE_LANDING_BUCKET": "landing",
        "DROPMERGE_LANDING_PREFIX": "incoming/",
        "DROPMERGE_ARCHIVE_BUCKET": "archive",
        "DROPMERGE_STAGING_DATASET": "staging",
        "DROPMERGE_OPS_DATASET": "ops",
        "DROPMERGE_STAGED_TOPIC": "file-staged",
        "DROPMERGE_DEAD_LETTER_TOPIC": f"{name}-dead-letter",
        "PYTHONPATH": str(ROOT),
    }
