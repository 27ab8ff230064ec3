"""The local cloud starts, is found, survives kills, stops, and runs side by side with another."""

import os
import signal
import socket
from pathlib import Path

import psutil
import pytest
from google.cloud import pubsub_v1, storage

from localcloud.cloud import LocalCloud
from localcloud.errors import CloudError
from localcloud.ports import choose
from services.shared.warehouse import Warehouse, connect
from tests.harness.processes import await_end


def _pids(cloud: LocalCloud) -> dict[str, int]:
    return {name: int(value) for name, value in cloud.read().items() if name.endswith("_PID")}


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # a zombie only awaits its parent
    except psutil.NoSuchProcess:
        return False


_TABLE, _WRITES = "local.ops.dead_letter_messages", "projects/local/subscriptions/ingest-dead-letter-table"


def _forget_the_table_of_dead_letters() -> None:
    """As in a state of an earlier release."""
    pubsub_v1.SubscriberClient().delete_subscription(subscription=_WRITES)
    Warehouse(connect("local", "US"), 60).drop_table(_TABLE)


def test_parts_that_died_are_started_again_and_state_outlives_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`up` starts what is missing, leaves the rest, and objects and rows survive `down` and `up`."""
    cloud = LocalCloud(tmp_path / "state", environ={})
    cloud.up(0)
    try:
        before = _pids(cloud)
        os.killpg(before["DROPMERGE_MERGE_PID"], signal.SIGKILL)
        await_end([psutil.Process(before["DROPMERGE_MERGE_PID"])], 10)
        assert cloud.dead() == ["merge"]
        cloud.up()
        after = _pids(cloud)
        assert {name for name in before if before[name] != after[name]} == {"DROPMERGE_MERGE_PID"}

        # The server's master alone: its worker still holds the port when `up` looks.
        os.kill(after["DROPMERGE_INGEST_PID"], signal.SIGKILL)
        await_end([psutil.Process(after["DROPMERGE_INGEST_PID"])], 10)
        cloud.up()
        assert not cloud.dead()

        for name, value in cloud.read().items():
            monkeypatch.setenv(name, value)
        storage.Client(project="local").bucket("landing").blob("kept.txt").upload_from_string("kept")
        Warehouse(connect("local", "US"), 60).query("CREATE TABLE main.kept AS SELECT 7 AS n")
        _forget_the_table_of_dead_letters()
        pids = _pids(cloud)
        assert cloud.down()
        assert not [pid for pid in pids.values() if _runs(pid)]

        for name, value in cloud.up(0).items():
            monkeypatch.setenv(name, value)
        assert storage.Client(project="local").bucket("landing").blob("kept.txt").download_as_bytes() == b"kept"
        assert Warehouse(connect("local", "US"), 60).table_exists(_TABLE)
        assert pubsub_v1.SubscriberClient().get_subscription(subscription=_WRITES).bigquery_config.table == _TABLE
        (row,) = Warehouse(connect("local", "US"), 60).query("SELECT n FROM main.kept")
        assert row["n"] == 7
    finally:
        cloud.down()


def test_two_local_clouds_side_by_side(tmp_path: Path) -> None:
    """Different folders, different ports and processes; all of them on 127.0.0.1."""
    one, two = (LocalCloud(tmp_path / name, environ={}) for name in ("one", "two"))
    try:
        one.up(0)
        two.up(0)
        assert not set(_pids(one).values()) & set(_pids(two).values())
        assert not one.dead()
        assert not two.dead()
        for pid in _pids(one).values():
            process = psutil.Process(pid)
            for part in [process, *process.children(recursive=True)]:
                listening = [c.laddr.ip for c in part.net_connections("inet") if c.status == psutil.CONN_LISTEN]
                assert {ip.removeprefix("::ffff:") for ip in listening} <= {"127.0.0.1"}
    finally:
        one.down()
        two.down()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The error names the port and the way out; nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanted = "|".join(map(str, choose(port).values()))  # a neighbour may be taken as well
        cloud = LocalCloud(tmp_path, environ={})
        with pytest.raises(CloudError, match=rf"({wanted})(.|\n)*--port-base"):
            cloud.up(port)
        assert not cloud.down()
