"""A BigQuery subscription of the Pub/Sub server writes each message to its table, whatever is in it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from localcloud import ports
from services.shared.tables import table
from tests.harness.pubsub import RunningServer, eventually
from tests.harness.warehouse import local_warehouse

_TABLE = "local.d.messages"
_CONFIG = {"table": _TABLE, "write_metadata": True}


@pytest.fixture
def chosen() -> ports.Ports:
    return ports.choose(0)


@pytest.fixture
def bus(tmp_path: Path, chosen: ports.Ports) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path / "pubsub", f"http://127.0.0.1:{chosen['warehouse']}")
    yield running
    running.end()


def rows(client: bigquery.Client) -> list[Any]:
    return list(client.query(f"SELECT * FROM `{_TABLE}` ORDER BY publish_time, message_id").result())


def test_messages_become_rows_whatever_happens(bus: RunningServer, chosen: ports.Ports, tmp_path: Path) -> None:
    """Hostile messages are written whole; what the warehouse cannot take now waits, a killed server included."""
    hostile = {f"key-{n}": "x" for n in range(96)} | {
        "nul": "a\0b",
        "line": 'é😀\u2028"\\\n',
        "data": "d",
        "longest": "ü" * 512,
    }
    large = bytes(range(256)) * 39_000
    with local_warehouse(tmp_path, chosen=chosen) as client:
        topic = bus.topic()
        with pytest.raises(exceptions.NotFound):  # Pub/Sub makes no table
            bus.subscribe(topic, bigquery_config=_CONFIG)
        client.create_table(table("local", "dead_letter_messages", _TABLE))
        name = bus.subscribe(topic, bigquery_config=_CONFIG)
        ids = [*bus.publish(topic, b"\xff\xfe\0", **hostile), *bus.publish(topic, large), *bus.publish(topic, b"{}")]
        eventually(lambda: bus.backlog() == {"readers": 0})
        found = rows(client)
        assert [row["message_id"] for row in found] == ids
        assert {row["subscription_name"] for row in found} == {name}
        assert [row["data"] for row in found] == [b"\xff\xfe\0", large, b"{}"]
        assert [json.loads(row["attributes"]) for row in found] == [hostile, {}, {}]
        with pytest.raises(exceptions.FailedPrecondition):
            bus.pull(name)
    ids += bus.publish(topic, b"while it is down")
    bus.end(signal.SIGKILL)
    bus.start()
    ids += bus.publish(topic, b"after the kill")
    assert bus.backlog() == {"readers": 2}
    with local_warehouse(tmp_path, chosen=chosen) as client:
        eventually(lambda: bus.backlog() == {"readers": 0})
        assert {row["message_id"] for row in rows(client)} == set(ids)


@pytest.mark.parametrize(
    ("config", "more"),
    [
        ({"table": "nothing", "write_metadata": True}, {}),
        (_CONFIG, {"push_config": {"push_endpoint": "http://127.0.0.1:1/"}}),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(
    server: RunningServer, config: dict[str, Any], more: dict[str, Any]
) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        server.subscribe(server.topic(), bigquery_config=config, **more)
