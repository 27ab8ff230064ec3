"""A landing bucket with more files than are listed, in a cloud of its own: nothing else may be on its way."""

from collections.abc import Iterator

import pytest

from dropmerge.operations.loads import landing
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.feeds import write_feeds_of_folders
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("large")
    with running(folder, write_feeds_of_folders(folder / "feeds")) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


def test_a_file_dropped_a_moment_ago_is_in_flight_in_a_large_bucket_too(
    pipeline: Pipeline, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each folder where files arrived last is listed, though the bucket has more than that; what is not looked at is
    said."""
    for place in ("zz-3/", ""):
        for n in range(3):
            pipeline.drop(f"{place}zz-{n}.csv", HEADER + row(f"large-{n}"), feed="tolerant")
            # A folder is listed from the names on that arrived last.
            pipeline.wait_until_idle()
    monkeypatch.setattr(landing, "MOST_NAMES", 4)
    monkeypatch.setattr(landing, "_LAST_NAMES", 2)
    with paused_subscription(pipeline, "ingest") as path:
        # Before the last name of its folder, which the other comes after.
        uri = pipeline.drop("zz-3/zz-10.csv", HEADER + row("large-3"), feed="tolerant")
        (message,) = pull_all(pipeline, path, 1)
        said = commands.run("wait", "--timeout", 0, code=1).stderr
        assert f"{uri}: unknown" in said
        answer = commands.json("status")
        assert answer["feeds"]["tolerant"]["in_flight"] == 1
        assert "has more than 4 files" in answer["in_part"]
    pipeline.publish("file-arrived", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    assert "has more than 4 files" in commands.run("wait").stderr
