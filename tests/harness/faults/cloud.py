"""A local cloud whose services reach BigQuery, Cloud Storage and Pub/Sub through the proxies."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from localcloud import record
from localcloud.cloud import LocalCloud
from tests.harness.cloud import running
from tests.harness.faults.calls import Script
from tests.harness.faults.http_proxy import HttpProxy
from tests.harness.faults.publish_proxy import PublishProxy
from tests.harness.pipeline import Pipeline
from tests.harness.processes import await_end

BUDGET = 12.0
"""Seconds a delivery may work, in place of nine minutes."""

_ENTRY = """import os
os.environ.update({variables!r})
from services.{name}.main import {name}
"""


@dataclass
class Faulty:
    pipeline: Pipeline
    script: Script
    feeds: Path

    def kill(self, *names: str) -> None:
        """Kill these parts, and what they started, by SIGKILL; they are gone afterwards, so that `revive` sees it."""
        for name in names:
            pid = int(self.pipeline.cloud.read()[f"DROPMERGE_{name.upper()}_PID"])
            try:
                master = psutil.Process(pid)
                processes = [*master.children(recursive=True), master]
            except psutil.NoSuchProcess:
                continue
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
            await_end(processes)

    def revive(self) -> None:
        """Start again what is dead."""
        self.pipeline.cloud.up()
        self.pipeline.connect()

    def left_in_staging(self) -> list[str]:
        return self.pipeline.connection.warehouse.list_tables("staging", "")


@contextmanager
def faulty_cloud(folder: Path, feeds: Path, budget: float = BUDGET, patience: float = 0.0) -> Iterator[Faulty]:
    """Run a local cloud behind proxies. `budget`: the seconds that a delivery may work; `patience`: those for which
    what a message is denied may still arrive."""
    script = Script()
    cloud = LocalCloud(folder / "state", environ={})
    # While `up` still waits, the services ask already.
    warehouse = HttpProxy("bigquery", script, lambda: f"http://127.0.0.1:{_port(cloud, 'warehouse')}")
    bucket = HttpProxy("storage", script, lambda: f"http://127.0.0.1:{_port(cloud, 'bucket')}")
    publish = PublishProxy(script, lambda: cloud.read()["PUBSUB_EMULATOR_HOST"])
    variables = {
        "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{warehouse.port}",
        "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{bucket.port}",
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{publish.port}",
        "DROPMERGE_BUDGET_SECONDS": str(budget),
        "DROPMERGE_PATIENCE_SECONDS": str(patience),
    }
    for name in ("ingest", "merge"):
        entry = folder / "services" / name / "main.py"
        entry.parent.mkdir(parents=True)
        entry.write_text(_ENTRY.format(variables=variables, name=name))
    try:
        with running(folder, feeds, folder / "services") as pipeline:
            yield Faulty(pipeline, script, feeds)
    finally:
        for proxy in (warehouse, bucket, publish):
            proxy.close()


def _port(cloud: LocalCloud, part: str) -> int:
    current = record.load(cloud.state)
    assert current, "no part is started"
    return current.ports[part]
