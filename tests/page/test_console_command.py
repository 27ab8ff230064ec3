"""`dropmerge console` as docs/console.md has it typed, and what it says where it cannot start."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.topology import ROOT
from dropmerge.cli.exit_codes import FAILED, USAGE
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.console import console, free_port
from tests.harness.dead_letters import ours, put
from tests.harness.feeds import write_feeds_of_folders
from tests.harness.pipeline import Pipeline
from tests.harness.subscription import wait_until


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("console")
    with running(folder, write_feeds_of_folders(folder / "feeds")) as pipeline:
        put(pipeline, ours("incoming/accounts/x.csv"))
        wait_until(lambda: Commands.of(pipeline).json("dead-letters", "list"), "waiting")
        yield pipeline


def _typed(word: str) -> list[str]:
    page = (ROOT / "docs" / "console.md").read_text(encoding="utf-8")
    return [line.partition("  #")[0].strip() for line in re.findall(rf"^    ({word} .+)$", page, re.M)]


@pytest.mark.parametrize("line", [line for line in _typed("dropmerge") if "--project" not in line])
def test_a_line_of_the_docs_starts_the_page(pipeline: Pipeline, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is all that is printed on standard output; Ctrl-C ends it in silence."""
    port = free_port()
    words = line.replace("9000", str(port)).split()[1:]
    opened = pipeline.cloud.state / "opened"
    browser = pipeline.cloud.state / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    with Commands.of(pipeline).start(*words, stdout=subprocess.PIPE) as process:
        assert process.stdout
        address = process.stdout.readline().decode().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]{32}", address)
        assert "--port" not in line or f":{port}/" in address
        if "--open" in line:
            wait_until(opened.exists, "opened")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert not process.stdout.read()


def test_what_is_typed_by_hand_gives_what_the_command_gives(pipeline: Pipeline, tmp_path: Path) -> None:
    """The cookie jar of the docs has the token."""
    enter, ask = _typed("curl")
    with console(pipeline) as page:
        environ = {**os.environ, "ADDRESS": page.address}
        subprocess.run(["bash", "-ec", enter], cwd=tmp_path, env=environ, check=True)
        assert "<h1>Overview</h1>" in (tmp_path / "overview.html").read_text()
        done = subprocess.run(["bash", "-ec", ask], cwd=tmp_path, env=environ, check=True, capture_output=True)
    assert json.loads(done.stdout) == Commands.of(pipeline).json("dead-letters", "list")


def test_a_port_that_is_taken_is_said_unless_nobody_asked_for_it(pipeline: Pipeline) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = Commands.of(pipeline).run("console", "--port", port, code=FAILED)
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert "another --port" in done.stderr
    assert Commands.of(pipeline).run("console", "--port", 80, code=USAGE).stderr


def test_without_a_local_cloud_it_says_how_to_start_one(pipeline: Pipeline, tmp_path: Path) -> None:
    done = Commands.of(pipeline).run("console", "--state", tmp_path / "nowhere", code=FAILED)
    assert "no local cloud is running" in done.stderr
    assert "dropmerge up" in done.stderr


def test_without_contracts_it_says_so_before_it_starts(pipeline: Pipeline, tmp_path: Path) -> None:
    done = Commands.of(pipeline).run("console", "--feeds", tmp_path, code=FAILED)
    assert f"{tmp_path}: no feeds" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_all_that_it_started(pipeline: Pipeline, number: int) -> None:
    """A terminal that closes, too."""
    with console(pipeline) as page:
        page.session()
        page.process.send_signal(number)
        assert page.process.wait(30) == 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(page.base.rpartition(":")[2]))) != 0
