"""One local cloud for all commands, and the commands as a person types them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.topology import ROOT
from dropmerge.cli.main import app
from tests.guarantees.conftest import write_feeds
from tests.harness.pipeline import Pipeline, running

NUMBERS = """
feed: numbers
objects: incoming/numbers/*
format: {type: csv}
table: main.numbers
key: [n]
version: v
columns:
  - {name: n, type: NUMERIC}
  - {name: v, type: INT64}
"""
INGEST_LETTERS, MERGE_LETTERS = "ingest-dead-letter", "merge-dead-letter"


@dataclass(frozen=True)
class Commands:
    """`dropmerge …` as typed, though within this process: starting one takes longer than most commands."""

    variables: Mapping[str, str]

    def run(self, *words: object, code: int = 0) -> Result:
        """`stdout` and `stderr` are text."""
        done = CliRunner().invoke(app, [str(word) for word in words], env=self.variables)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, f"{words}: exit code {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: object, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code).stdout)

    @contextmanager
    def start(self, *words: object, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """The same in a process of its own, which a test may talk to, or kill."""
        line = [sys.executable, "-m", "dropmerge", *map(str, words)]
        environ = {**os.environ, **self.variables, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(line, cwd=ROOT, env=environ, **options) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("console")
    feeds = write_feeds(folder / "feeds")
    (feeds / "numbers.yaml").write_text(NUMBERS)
    (feeds / "reloaded.yaml").write_text(NUMBERS.replace("numbers", "reloaded"))
    with running(folder, feeds) as pipeline:
        yield pipeline


@pytest.fixture(scope="package")
def commands(pipeline: Pipeline) -> Commands:
    feeds = pipeline.connection.feeds_folder
    return Commands({"DROPMERGE_STATE": str(pipeline.cloud.state), "DROPMERGE_FEEDS": str(feeds), "COLUMNS": "200"})


def pull_all(pipeline: Pipeline, path: str, count: int) -> list[Any]:
    """Exactly `count` messages, acknowledged."""
    found: list[Any] = []
    while len(found) < count:
        answer = pipeline.connection.subscriber.pull(subscription=path, max_messages=1000, timeout=60.0)
        found += [received.message for received in answer.received_messages]
        pipeline.connection.subscriber.acknowledge(
            subscription=path, ack_ids=[received.ack_id for received in answer.received_messages]
        )
    assert len(found) == count
    return found


def empty_dead_letters(pipeline: Pipeline) -> None:
    """What other tests left."""
    for name in (INGEST_LETTERS, MERGE_LETTERS):
        path = pipeline.connection.subscriber.subscription_path(pipeline.connection.project, name)
        pipeline.connection.subscriber.seek(request={"subscription": path, "time": datetime.now(UTC)})
