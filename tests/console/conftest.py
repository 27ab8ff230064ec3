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
from google.cloud import pubsub_v1  # type: ignore[attr-defined]  # has no types

from deploy.local.cloud import LocalCloud
from deploy.local.environment import ROOT
from tests.guarantees.conftest import write_feeds
from tests.guarantees.pipeline import Pipeline

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
    """`dropmerge …`, each in a process of its own."""

    variables: Mapping[str, str]

    def run(self, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.line(*words), cwd=ROOT, env={**os.environ, **self.variables}, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: object, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code).stdout)

    @staticmethod
    def line(*words: object) -> list[str]:
        return [sys.executable, "-m", "services.console", *map(str, words)]


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("console")
    feeds = write_feeds(folder / "feeds")
    (feeds / "numbers.yaml").write_text(NUMBERS)
    cloud = LocalCloud(folder / "state", environ={})
    before = dict(os.environ)
    cloud.up(0, feeds)
    try:
        yield Pipeline(cloud, feeds)
    finally:
        cloud.down()
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="package")
def commands(pipeline: Pipeline) -> Commands:
    feeds = pipeline.connection.feeds_folder
    return Commands({"DROPMERGE_STATE": str(pipeline.cloud.state), "DROPMERGE_FEEDS": str(feeds), "COLUMNS": "200"})


@contextmanager
def paused(pipeline: Pipeline, subscription: str) -> Iterator[str]:
    """A push subscription's path, while nothing is pushed and a test may pull."""
    subscriber = pipeline.connection.subscriber
    path = subscriber.subscription_path(pipeline.connection.project, subscription)
    push = subscriber.get_subscription(subscription=path).push_config
    subscriber.modify_push_config(subscription=path, push_config=pubsub_v1.types.PushConfig())
    try:
        yield path
    finally:
        subscriber.modify_push_config(subscription=path, push_config=push)


def pull_all(pipeline: Pipeline, path: str, count: int) -> list[Any]:
    """Exactly `count` messages, acknowledged."""
    found: list[Any] = []
    while len(found) < count:
        answer = pipeline.connection.subscriber.pull(subscription=path, max_messages=1000, timeout=10.0)
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
