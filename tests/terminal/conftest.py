"""One local cloud for the questions, and a terminal for whatever starts one itself."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.topology import ROOT
from localcloud.cloud import LocalCloud
from tests.harness.pipeline import Pipeline
from tests.harness.screen import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Whatever a test leaves running there is killed."""
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.kill_all()


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """Where a local cloud is up; the window it was started from has been closed."""
    terminal = Terminal(tmp_path_factory.mktemp("terminal"))
    try:
        line = shlex.join(terminal.dropmerge("up", "--detach", "--port-base", "0"))
        with terminal.opens(["bash", "-c", f"{line} && echo it is up; read"]) as shell:
            shell.see("it is up")
            shell.hang_up()
            shell.process.wait(60)
        yield terminal
        LocalCloud(terminal.folder / "state").down()
    finally:
        terminal.kill_all()


@pytest.fixture(scope="package")
def pipeline(shared: Terminal) -> Iterator[Pipeline]:
    with pytest.MonkeyPatch.context() as patch:
        cloud = LocalCloud(shared.folder / "state", environ={})
        for name, value in cloud.read().items():
            patch.setenv(name, value)
        yield Pipeline(cloud, ROOT / "deploy" / "feeds")
