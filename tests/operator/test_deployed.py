"""G9: which contract each service runs, beside the one on disk, is said where somebody decides by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("deployed")
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        yield pipeline


@pytest.fixture
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


def change(pipeline: Pipeline, feed: str, old: str, new: str) -> None:
    path: Path = pipeline.connection.feeds_folder / f"{feed}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    pipeline.connect()


def test_g9_status_and_feeds_show_name_a_service_that_runs_another_contract(
    pipeline: Pipeline, commands: Commands
) -> None:
    """Nothing while they agree; a line once the contract on disk is another; nothing again after a restart."""
    contracts = commands.json("status")["contracts"]
    assert contracts["ingest"] == contracts["merge"] == contracts["on_disk"]
    assert "another contract" not in commands.run("status").stderr
    before = contracts["on_disk"]["tolerant"]
    change(pipeline, "tolerant", "at_most: 2", "at_most: 3")
    said = commands.run("status").stderr
    assert "another contract of tolerant" in said
    assert "dropmerge up --restart" in said
    (shown,) = [one for one in commands.json("feeds", "show") if one["feed"] == "tolerant"]
    assert (shown["running"], shown["contract"] == before) == ({"ingest": before, "merge": before}, False)
    pipeline.cloud.up(restart=True)
    assert "another contract" not in commands.run("status").stderr


def test_g9_a_replay_says_that_the_contract_is_still_the_one_that_failed(
    pipeline: Pipeline, commands: Commands
) -> None:
    """The file's bytes do not change; by another contract it may go on, and then the sentence is gone."""
    pipeline.drop("fails.csv", HEADER + row("fails", "x"), feed="accounts")
    pipeline.wait_until_idle()
    said = commands.run("dead-letters", "replay", "--feed", "accounts", "--dry-run").stderr
    assert "ingest still runs the contract of accounts under which these files failed" in said
    (letter,) = commands.json("dead-letters", "list", "--feed", "accounts")
    assert letter["contract"] == pipeline.contract("accounts")
    change(pipeline, "accounts", "at_most: 0", "at_most: 1")
    pipeline.cloud.up(restart=True)
    again = commands.run("dead-letters", "replay", "--feed", "accounts", "--yes")
    assert "still runs" not in again.stderr
    pipeline.wait_until_idle()
    assert json.loads(commands.run("dead-letters", "list", "--json").stdout) == []
