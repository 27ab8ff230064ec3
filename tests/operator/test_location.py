"""The commands ask the dataset where it is; where it is not, they say so and change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud
from tests.harness.commands import Commands
from tests.harness.faults.calls import Call, Error, Fault, Script
from tests.harness.faults.http_proxy import HttpProxy
from tests.harness.pipeline import HEADER, Pipeline, row

_MISSING = Fault("no dataset", answer=Error(404, "notFound", "Not found: Dataset local:ops"))


@pytest.fixture
def script(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """What the commands ask of BigQuery, whose datasets are in Belgium."""
    variables, script = pipeline.cloud.read(), Script()
    proxy = HttpProxy("bigquery", script, lambda: variables["BIGQUERY_EMULATOR_HOST"], "europe-west1")
    behind = {**variables, "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{proxy.port}"}
    monkeypatch.setattr(LocalCloud, "read", lambda _: behind)
    yield script
    monkeypatch.undo()
    pipeline.connect()
    proxy.close()


def _asks_for_the_dataset(call: Call) -> bool:
    return call.method == "GET" and call.path.partition("?")[0].endswith("/datasets/ops")


def test_the_location_is_the_datasets(pipeline: Pipeline, commands: Commands, script: Script) -> None:
    """No variable has to name it."""
    uri = pipeline.drop("located.csv", HEADER + row("located"), feed="tolerant")
    pipeline.wait_until_idle()
    assert commands.json("status")["feeds"]["tolerant"]["merged"] > 0
    assert commands.json("explain", uri)["state"] == "merged"
    assert commands.json("backfill", uri.partition("#")[0], "--yes") == []


def test_a_wrong_location_is_said_and_nothing_is_announced(
    pipeline: Pipeline, commands: Commands, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken for a pipeline that has done nothing yet."""
    monkeypatch.setenv("DROPMERGE_LOCATION", "US")
    for line in ("status", "wait --timeout 5", "explain gs://landing/incoming/tolerant/located.csv"):
        said = commands.run(*line.split(), code=1).stderr
        assert "was not found in location US" in said
        assert "DROPMERGE_LOCATION says US" in said
    said = commands.run("backfill", "gs://landing/incoming/", "--yes", code=1).stderr
    assert "was not found in location US" in said
    assert pipeline.connection.undelivered("ingest") == 0


@pytest.mark.parametrize("line", ["status", "wait --timeout 5", "history", "backfill gs://landing/incoming/ --yes"])
def test_a_project_without_the_dataset_is_said(commands: Commands, script: Script, line: str) -> None:
    script.arm(_MISSING, _asks_for_the_dataset)
    said = commands.run(*line.split(), code=1).stderr
    assert "there is no dataset local.ops" in said
    assert "is this the right project?" in said
    assert "announced" not in said


def test_a_fresh_local_cloud_has_the_dataset(tmp_path: Path, pipeline: Pipeline) -> None:
    """Its tables come later."""
    assert pipeline.connection.warehouse.client.location == "US"
    assert pipeline.connection.rows("SELECT 1 AS n FROM `ops.not_there_yet`") == []
