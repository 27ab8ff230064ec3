"""G1, G2: a service killed with work in flight loses nothing and doubles nothing."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import wait_until


@pytest.fixture
def own_pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    feeds = write_feeds(tmp_path / "feeds")
    with running(tmp_path, feeds) as pipeline:
        yield pipeline


@pytest.mark.parametrize("service", ["ingest", "merge"])
def test_g1_g2_kill_9_with_twenty_files_in_flight(own_pipeline: Pipeline, service: str) -> None:
    """After a restart all files are merged, no key is there twice, and no staging table is left."""
    pipeline = own_pipeline
    uris = [pipeline.drop(f"{n}.csv", HEADER + row(f"crash-{n}", 400 + n)) for n in range(20)]
    wait_until(lambda: pipeline.connection.undelivered(service), "in flight")
    master = psutil.Process(int(pipeline.cloud.read()[f"DROPMERGE_{service.upper()}_PID"]))
    for process in [*master.children(recursive=True), master]:
        process.send_signal(signal.SIGKILL)
    master.wait(timeout=10)
    assert service in pipeline.cloud.dead()
    pipeline.cloud.up()
    pipeline.connect()
    pipeline.wait_until_idle()
    assert [pipeline.explain(uri)["state"] for uri in uris] == ["merged"] * 20
    keys = [f"crash-{n}" for n in range(20)]
    assert pipeline.scores(keys) == {key: 400 + n for n, key in enumerate(keys)}
    entries = pipeline.connection.rows("SELECT load_id, COUNT(*) AS n FROM `ops.ledger` GROUP BY load_id")
    assert [entry["n"] for entry in entries] == [1] * 20
    assert pipeline.connection.warehouse.list_tables("staging", "") == []
