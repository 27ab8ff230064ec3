"""What `up` was told is kept for the next time, and contracts that changed reach the services by `--restart`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from deploy.topology import ROOT
from localcloud import record
from localcloud.cloud import LocalCloud
from localcloud.errors import CloudError
from localcloud.ports import DEFAULTS, choose
from tests.harness.subscription import wait_until

_ACCOUNTS = ROOT / "deploy" / "feeds" / "accounts.yaml"
_FUNCTION = """import functions_framework, pathlib, time
@functions_framework.http
def {name}(request):
    if request.method == "GET":
        return "{{}}"
    folder = pathlib.Path({folder!r})
    (folder / "began").touch()
    deadline = time.monotonic() + 30
    while not (folder / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return "handled"
"""


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    folder = tmp_path / "feeds"
    folder.mkdir()
    (folder / "accounts.yaml").write_text(_ACCOUNTS.read_text())
    return folder


@pytest.fixture
def services(tmp_path: Path) -> Path:
    """Functions that start at once, and handle a message until there is a file `go`."""
    for name in ("ingest", "merge"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "main.py").write_text(_FUNCTION.format(name=name, folder=str(tmp_path)))
    return tmp_path / "services"


class Cloud(LocalCloud):
    """Remembers what it said."""

    def __init__(self, state: Path) -> None:
        self.said: list[str] = []
        super().__init__(state, self.said.append, environ={})

    def output(self) -> str:
        """Since the last time."""
        lines, self.said[:] = "\n".join(self.said), []
        return lines

    def pids(self) -> dict[str, int]:
        return {name: int(value) for name, value in self.read().items() if name.endswith("_PID")}

    def urls(self) -> dict[str, str]:
        return {name: value for name, value in self.read().items() if name.endswith("_URL")}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path / "state")
    yield cloud
    cloud.down()


def _feeds(cloud: LocalCloud) -> str:
    current = record.load(cloud.state)
    assert current is not None
    return current.feeds


def test_down_and_up_keep_ports_feeds_and_services(cloud: Cloud, feeds: Path, services: Path) -> None:
    """Free ports are kept too, as long as they are free; what is given later is kept from then on."""
    cloud.up(0, feeds, services)
    before = cloud.urls()
    cloud.down()
    cloud.up()
    assert cloud.urls() == before
    assert _feeds(cloud) == str(feeds)
    cloud.down()

    with socket.create_server(("127.0.0.1", int(before["DROPMERGE_MERGE_URL"].rpartition(":")[2]))):
        cloud.up(feeds=_ACCOUNTS.parent)
        assert set(cloud.urls().values()).isdisjoint(before.values())
    assert "are taken: choosing others" in cloud.output()
    cloud.down()
    kept = record.load_last(cloud.state)
    assert kept is not None
    assert (kept.feeds, kept.services, kept.any_ports) == ("", str(services), True)


def test_the_choice_outlives_a_failed_up(cloud: Cloud, feeds: Path, services: Path) -> None:
    """The choice of the `up` that failed is not kept."""
    cloud.up(0, feeds, services)
    before = cloud.urls()
    cloud.down()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CloudError, match="--port-base"):
        cloud.up(taken.getsockname()[1])
    cloud.up()
    assert cloud.urls() == before


def test_a_kept_folder_that_is_gone_is_named(cloud: Cloud, feeds: Path, services: Path) -> None:
    """The error names the option to give and its default; nothing is started."""
    cloud.up(0, feeds, services)
    cloud.down()
    feeds.rename(feeds.with_name("moved"))
    with pytest.raises(CloudError, match=rf"{feeds}.*no longer exists(.|\n)*--feeds {_ACCOUNTS.parent}"):
        cloud.up()
    assert not cloud.is_recorded()
    cloud.up(feeds=feeds.with_name("moved"))
    assert _feeds(cloud) == str(feeds.with_name("moved"))


def test_kept_ports_that_are_taken_are_named(tmp_path: Path, services: Path) -> None:
    """For ports that were chosen by number, the error says which are taken and what to do."""
    cloud = Cloud(tmp_path / "state")
    base = next(port for port in range(21000, 31000, 16) if all(map(_is_free, choose(port).values())))
    cloud.up(base, services=services)
    cloud.down()
    with (
        socket.create_server(("127.0.0.1", base + 1)),
        pytest.raises(CloudError, match=f"port {base + 1}, which bus needs, is taken(.|\n)*--port-base"),
    ):
        cloud.up()
    assert not cloud.is_recorded()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_an_earlier_versions_record_is_read(tmp_path: Path) -> None:
    """A record with fewer or more fields and ports is read."""
    ports = {name: port for name, port in DEFAULTS.items() if name != "metrics"}
    old = {"ports": ports, "feeds": "f", "services": "s", "bus_host": "h", "own_bus": True, "processes": {}}
    (tmp_path / "cloud.json").write_text(json.dumps({**old, "ready": True, "of_a_later_version": 1}))
    read = record.load(tmp_path)
    assert read is not None
    assert (read.ports, read.contracts, read.any_ports) == (DEFAULTS, {}, False)
    (tmp_path / "cloud.json").write_text(
        json.dumps({**old, "ports": {name: n + 5000 for n, name in enumerate(ports)}})
    )
    read = record.load(tmp_path)
    assert read is not None
    assert sorted(read.ports.values()) == list(range(5000, 5000 + len(DEFAULTS)))


def test_contracts_that_changed_are_named_and_restart_reads_them(cloud: Cloud, feeds: Path, services: Path) -> None:
    """Contents count and times do not; the other parts go on, and each function is asked on its own."""
    cloud.up(0, feeds, services)
    before = cloud.pids()
    (feeds / "accounts.yaml").touch()
    cloud.output()
    cloud.up()
    assert "contracts on disk" not in cloud.output()

    (feeds / "accounts.yaml").write_text(_ACCOUNTS.read_text() + "# changed\n")
    (feeds / "more.yml").write_text("new")
    cloud.up()
    said = cloud.output()
    assert "that ingest and merge started with: accounts.yaml has changed, more.yml is new" in said
    assert "`dropmerge up --restart`" in said
    assert cloud.pids() == before

    os.killpg(before["DROPMERGE_MERGE_PID"], signal.SIGKILL)
    wait_until(lambda: cloud.dead() == ["merge"], "killed")
    cloud.up()
    assert "that ingest started with: accounts.yaml has changed" in cloud.output()

    cloud.up(restart=True)
    after = cloud.pids()
    assert {name for name in before if before[name] != after[name]} == {"DROPMERGE_INGEST_PID", "DROPMERGE_MERGE_PID"}
    assert "contracts on disk" not in cloud.output()
    assert not cloud.dead()


def test_restart_lets_what_is_handled_end(cloud: Cloud, tmp_path: Path, feeds: Path, services: Path) -> None:
    cloud.up(0, feeds, services)
    url, before = cloud.urls()["DROPMERGE_INGEST_URL"], cloud.pids()
    with ThreadPoolExecutor(2) as pool:
        handled = pool.submit(requests.post, url, timeout=60)
        wait_until(lambda: (tmp_path / "began").exists(), "begun")
        cloud.output()
        restarted = pool.submit(cloud.up, restart=True)
        merge = before["DROPMERGE_MERGE_PID"]
        wait_until(lambda: not psutil.pid_exists(merge) or psutil.Process(merge).status() == "zombie", "merge ended")
        assert not restarted.done()
        assert cloud.is_changing()
        (tmp_path / "go").touch()
        assert handled.result().text == "handled"
        restarted.result()
    assert not cloud.is_changing()
    assert cloud.pids()["DROPMERGE_INGEST_PID"] != before["DROPMERGE_INGEST_PID"]


def test_a_restart_that_fails_leaves_the_other_parts(cloud: Cloud, feeds: Path, services: Path) -> None:
    """The services are stopped, and `up` starts them once their code is right again."""
    cloud.up(0, feeds, services)
    before, main = cloud.pids(), services / "merge" / "main.py"
    good = main.read_text()
    main.write_text("raise RuntimeError('a broken service')\n")
    with pytest.raises(CloudError, match="a broken service"):
        cloud.up(restart=True)
    assert cloud.dead() == ["ingest", "merge"]
    assert "Run `dropmerge up` to start them again" in cloud.output()
    main.write_text(good)
    cloud.up()
    after = cloud.pids()
    assert not cloud.dead()
    assert {name for name in before if before[name] == after[name]} == {
        f"DROPMERGE_{name}_PID" for name in ("BUS", "BUCKET", "WAREHOUSE")
    }


def _type(state: Path, *words: object) -> list[str]:
    return [sys.executable, "-m", "dropmerge", "up", "--state", str(state), *map(str, words)]


def _run(state: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _type(state, *words), cwd=ROOT, capture_output=True, text=True, timeout=200, check=False, env=_environment()
    )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DROPMERGE_", "PUBSUB_"))}


def test_a_broken_contract_starts_and_stops_nothing(cloud: Cloud, feeds: Path, services: Path) -> None:
    """The error names the file and the fault."""
    contract = feeds / "accounts.yaml"
    good = contract.read_text()
    contract.write_text(good + "surprise: 1\n")
    told = _run(cloud.state, "--port-base", 0, "--feeds", feeds, "--services", services, "--detach")
    assert told.returncode == 1
    assert str(contract) in told.stderr
    assert "surprise" in told.stderr
    assert "Traceback" not in told.stderr
    assert not cloud.is_recorded()

    contract.write_text(good)
    # Nothing is up: it starts.
    told = _run(cloud.state, "--port-base", 0, "--feeds", feeds, "--services", services, "--restart", "--detach")
    assert told.returncode == 0, told.stderr
    before = cloud.pids()
    contract.write_text(good + "surprise: 1\n")
    told = _run(cloud.state, "--restart")
    assert told.returncode == 1
    assert "surprise" in told.stderr
    assert cloud.pids() == before
    assert not cloud.dead()


def test_up_at_another_terminal_does_not_mind_a_restart(
    cloud: Cloud, tmp_path: Path, feeds: Path, services: Path
) -> None:
    """The restart returns on its own; Ctrl-C at the first terminal still stops all."""
    with (tmp_path / "said").open("w") as said:
        words = ("--port-base", 0, "--feeds", feeds, "--services", services)
        process = subprocess.Popen(
            _type(cloud.state, *words), cwd=ROOT, stdout=said, stderr=said, env=_environment(), start_new_session=True
        )
    try:
        wait_until(lambda: "Ctrl-C stops it" in (tmp_path / "said").read_text(), "up")
        before = cloud.pids()
        with ThreadPoolExecutor(2) as pool:
            pool.submit(requests.post, cloud.urls()["DROPMERGE_INGEST_URL"], timeout=60)
            wait_until(lambda: (tmp_path / "began").exists(), "begun")
            restarted = pool.submit(_run, cloud.state, "--restart")
            wait_until(lambda: cloud.dead() == ["merge"], "merge ended, and ingest has not")
            since = time.monotonic()
            wait_until(lambda: time.monotonic() > since + 1.5, "looked at three times")
            (tmp_path / "go").touch()
        assert restarted.result().returncode == 0, restarted.result().stderr
        assert cloud.pids()["DROPMERGE_MERGE_PID"] != before["DROPMERGE_MERGE_PID"]
        assert "has died" not in (tmp_path / "said").read_text()
        os.killpg(cloud.pids()["DROPMERGE_MERGE_PID"], signal.SIGKILL)
        wait_until(lambda: "merge has died" in (tmp_path / "said").read_text(), "reported")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert not cloud.is_recorded()


def test_the_usual_ports_can_be_asked_for_again() -> None:
    """They are asked for by a word, as they are not in a row; any other word is a usage error."""
    line = [sys.executable, "-m", "dropmerge", "up", "--port-base"]
    told = subprocess.run([*line, "nine"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 2
    assert "default" in told.stderr
    from dropmerge.cli.local import parse_port_base

    assert choose(parse_port_base("default")) == DEFAULTS
