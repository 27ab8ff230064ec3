"""G9: what a change of contract means for waiting loads and the main table is followed or refused, never guessed."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from services.shared.contract.feed import Feed
from services.shared.load import Load
from services.shared.messages.dead_letter import DeadLetter
from tests.harness.changes.contracts import Terms
from tests.harness.changes.world import Pulled, World
from tests.harness.pipeline import Pipeline

SERVICES = ("ingest", "merge")


@pytest.fixture
def world(pipeline: Pipeline) -> World:
    return World(pipeline)


@pytest.fixture
def name() -> str:
    return f"g{uuid.uuid4().hex[:12]}"


def contract(name: str, terms: Terms | None = None, **other: Any) -> Feed:
    return Feed.model_validate({**(terms or Terms(note=None)).yaml(name), **other})


def deploy(world: World, *feeds: Feed) -> None:
    """To ingest, then to merge; one for both."""
    for service, feed in zip(SERVICES, feeds * 2, strict=False):
        world.deploy(service, feed)


def merge(world: World, name: str, file: str, data: str) -> None:
    world.drop(name, file, data.encode())
    world.deliver_all()


def rows(world: World, name: str) -> list[dict[str, Any]]:
    found = world.rows(f"SELECT * FROM `main.{name}` ORDER BY id")
    return [{key: value for key, value in row.items() if not key.startswith("_")} for row in found]


def dead_letter(world: World) -> DeadLetter:
    ((service, data, attributes),) = world.dead_letters
    pulled: Any = Pulled(data, attributes, "1")
    return DeadLetter.decode(service, pulled, {})


@pytest.mark.parametrize("first", SERVICES)
def test_g9_the_order_of_deployment_decides_nothing(world: World, name: str, first: str) -> None:
    """Files staged before, dropped between and after: whichever service is deployed first, the table is the same."""
    old, new = contract(name), contract(name, Terms(note=None, added="", unknown="ignore"))
    deploy(world, old)
    world.drop(name, "1.csv", b"id,seq,value\na,1,5\n")
    world.deliver(0)
    assert [one.service for one in world.waiting] == ["merge"]
    world.deploy(first, new)
    world.drop(name, "2.csv", b"id,seq,value,added\nb,1,6,kept\n")
    for _ in range(6):
        world.deliver(0)
    world.deploy(next(one for one in SERVICES if one != first), new)
    world.drop(name, "3.csv", b"id,seq,value,added\nc,1,7,too\n")
    world.deliver_all()
    world.replay()
    world.deliver_all()
    assert world.dead_letters == []
    assert [(row["id"], row["value"], row["added"]) for row in rows(world, name)] == [
        ("a", 5, None),
        ("b", 6, "kept"),
        ("c", 7, "too"),
    ]


def test_g9_a_value_of_a_new_column_is_not_lost_while_merge_has_the_old_contract(world: World, name: str) -> None:
    """Its load waits until both services run the contract that has the column."""
    old, new = contract(name), contract(name, Terms(note=None, added=""))
    deploy(world, new, old)
    world.drop(name, "1.csv", b"id,seq,value,added\na,1,5,important\n")
    for _ in range(8):
        world.deliver(0)
    assert [one.service for one in world.waiting if one.service == "merge"] == ["merge"]
    world.deploy("merge", new)
    world.deliver_all()
    assert rows(world, name) == [{"id": "a", "seq": 1, "value": 5, "added": "important"}]


def test_g9_what_the_old_contract_staged_is_read_anew(world: World, name: str) -> None:
    """Once, however often its message is delivered; nothing is left in staging."""
    deploy(world, contract(name, Terms(note=None, unknown="ignore")))
    world.drop(name, "1.csv", b"id,seq,value,added\na,1,5,late\n")
    world.deliver(0)
    deploy(world, contract(name, Terms(note=None, added="")))
    world.deliver_all()
    assert (rows(world, name), world.asked) == ([{"id": "a", "seq": 1, "value": 5, "added": "late"}], 1)
    left = world.pipeline.connection.warehouse.list_tables("staging", name)
    assert left == []


def test_g9_what_an_older_release_staged_is_read_anew(world: World, name: str) -> None:
    """It named no contract, neither in the staging table's name nor in the message. The pinned copy is enough."""
    deploy(world, contract(name))
    world.drop(name, "0.csv", b"id,seq,value\na,1,4\nb,1,6\n")
    world.deliver_all()
    source = world.drop(name, "1.csv", b"id,seq,value\na,2,5\n")
    world.deliver(0)
    load, connection = Load(name, source), world.pipeline.connection
    ours, theirs = (f"local.staging.{load.staging_table(one)}" for one in (contract(name).fingerprint, ""))
    connection.rows(f"CREATE TABLE `{theirs}` AS SELECT * FROM `{ours}`")
    connection.warehouse.drop_table(ours)
    (staged,) = world.waiting
    fields = {key: text for key, text in json.loads(staged.data).items() if key != "contract"}
    world.waiting = [replace(staged, data=json.dumps(fields).encode())]
    connection.storage.bucket(source.bucket).blob(source.name).delete()
    deploy(world, contract(name, Terms(note=None, added="")))
    world.drop(name, "2.csv", b"id,seq,value,added\nc,1,7,new\n")
    world.deliver_all()
    assert [(row["id"], row["value"], row["added"]) for row in rows(world, name)] == [
        ("a", 5, None),
        ("b", 6, None),
        ("c", 7, "new"),
    ]
    assert (world.dead_letters, world.asked, connection.warehouse.list_tables("staging", name)) == ([], 1, [])


def test_g9_the_view_follows_the_newest_contract_whichever_process_wrote_last(world: World, name: str) -> None:
    """While a deployment lasts, processes of both contracts merge; the older one ends, the newer one goes on."""
    old, new = contract(name), contract(name, Terms(note=None, added=""))
    deploy(world, old)
    merge(world, name, "1.csv", "id,seq,value\na,1,5\n")
    older = world.running_process("merge")
    deploy(world, new)
    merge(world, name, "2.csv", "id,seq,value,added\nb,1,6,kept\n")
    newer = world.running_process("merge")
    world.deploy("ingest", old)
    world.switch_to("merge", older)
    merge(world, name, "3.csv", "id,seq,value\na,2,7\n")
    world.deploy("ingest", new)
    world.switch_to("merge", newer)
    merge(world, name, "4.csv", "id,seq,value,added\nc,1,8,too\n")
    shown = world.rows(f"SELECT id, value, added FROM `main.{name}_current` ORDER BY id")
    assert [tuple(row.values()) for row in shown] == [("a", 7, None), ("b", 6, "kept"), ("c", 8, "too")]
    assert world.dead_letters == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": ["id", "value"]}, "key id STRING, value INT64"),
        ({"version": "value"}, "version value INT64"),
        ({"table": "main.elsewhere"}, "it now names main.elsewhere"),
    ],
    ids=["key", "version", "table"],
)
def test_g9_another_key_version_or_table_is_never_applied(
    world: World, name: str, change: dict[str, Any], words: str
) -> None:
    """The file is a dead letter that says what to do; the table stays as it was, and so do its loads."""
    deploy(world, contract(name))
    merge(world, name, "1.csv", "id,seq,value\na,1,5\nb,1,5\n")
    before = rows(world, name)
    deploy(world, contract(name, **change))
    merge(world, name, "2.csv", "id,seq,value\na,9,9\n")
    found = dead_letter(world)
    assert (found.reason, found.feed) == ("contract_changed", name)
    assert words in found.error
    assert f"dropmerge rebuild {name}" in found.error
    assert rows(world, name) == before
    deploy(world, contract(name))
    world.replay()
    world.deliver_all()
    assert [row["value"] for row in rows(world, name)] == [9, 5]


def test_g9_a_type_is_widened_and_never_narrowed(world: World, name: str) -> None:
    """INT64, NUMERIC, FLOAT64: what was there stays exactly; the way back, or to STRING, is refused."""
    for number, kind, text in ((1, "INT64", "7"), (2, "NUMERIC", "2.5"), (3, "FLOAT64", "1e3")):
        deploy(world, contract(name, Terms(note=None, value=kind)))
        merge(world, name, f"{number}.csv", f"id,seq,value\n{kind},1,{text}\n")
    assert {row["id"]: row["value"] for row in rows(world, name)} == {"INT64": 7.0, "NUMERIC": 2.5, "FLOAT64": 1000.0}
    for number, kind in ((4, "NUMERIC"), (5, "STRING")):
        deploy(world, contract(name, Terms(note=None, value=kind)))
        merge(world, name, f"{number}.csv", f"id,seq,value\n{kind},1,3\n")
        found = dead_letter(world)
        assert (found.reason, f"value is {kind}, and FLOAT64 in the table" in found.error) == (
            "contract_changed",
            True,
        )
        world.dead_letters.clear()
    assert len(rows(world, name)) == 3


def test_g9_an_old_value_does_not_stand_beside_new_ones(world: World, name: str) -> None:
    """A column that leaves the contract stays in the table; a row that is written meanwhile has none of it."""
    with_note, without = contract(name, Terms()), contract(name, Terms(note=None))
    deploy(world, with_note)
    merge(world, name, "1.csv", "id,seq,value,note\na,1,5,old\nb,1,5,stays\n")
    deploy(world, without)
    merge(world, name, "2.csv", "id,seq,value\na,2,6\n")
    assert [column.name for column in without.columns] == [
        one["column_name"]
        for one in world.rows(
            f"SELECT column_name FROM `main.INFORMATION_SCHEMA.COLUMNS` WHERE table_name = '{name}_current'"
        )
    ]
    deploy(world, with_note)
    merge(world, name, "3.csv", "id,seq,value,note\nc,1,7,new\n")
    assert [(row["id"], row["value"], row["note"]) for row in rows(world, name)] == [
        ("a", 6, None),
        ("b", 5, "stays"),
        ("c", 7, "new"),
    ]


def test_g9_a_required_column_is_relaxed(world: World, name: str) -> None:
    """A table whose column takes no NULL takes them once the contract does."""
    connection = world.pipeline.connection
    required = contract(name)
    deploy(world, required)
    merge(world, name, "1.csv", "id,seq,value\na,1,5\n")
    names = "id, seq, value, _deleted, _generation, _object, _load_id"
    columns = "id STRING NOT NULL, seq INT64 NOT NULL, value INT64 NOT NULL, _deleted BOOL NOT NULL, "
    columns += "_generation INT64 NOT NULL, _object STRING NOT NULL, _load_id STRING NOT NULL"
    connection.rows(
        f"CREATE OR REPLACE TABLE `local.main.{name}` ({columns}) AS SELECT {names} FROM `local.main.{name}`"
    )
    merge(world, name, "2.csv", "id,seq,value\nb,1,\n")
    found = connection.warehouse.find_table(f"local.main.{name}")
    assert found is not None
    modes = {one.name: one.mode for one in found.schema}
    assert (modes["value"], modes["id"], rows(world, name)[1]["value"]) == ("NULLABLE", "REQUIRED", None)


def test_g9_a_main_table_that_was_dropped_has_no_loads(world: World, name: str) -> None:
    """The ledger knows which table a load was applied to: in the new one it is merged again."""
    deploy(world, contract(name))
    source = world.drop(name, "1.csv", b"id,seq,value\na,1,5\n")
    notification = world.waiting[0]
    world.deliver_all()
    world.pipeline.connection.warehouse.drop_table(f"local.main.{name}")
    merge(world, name, "2.csv", "id,seq,value\nb,1,6\n")
    assert [row["id"] for row in rows(world, name)] == ["b"]
    world.waiting.append(notification)
    world.deliver_all()
    assert [row["id"] for row in rows(world, name)] == ["a", "b"]
    ledger = world.rows(f"SELECT load_id, table_id FROM `ops.ledger` WHERE feed = '{name}'")
    assert (len(ledger), len({row["table_id"] for row in ledger})) == (3, 2), source


def test_g9_a_table_that_was_there_before_is_not_touched(world: World, name: str) -> None:
    """Without the metadata columns it is somebody else's: the file is a dead letter that names the command."""
    world.pipeline.connection.rows(f"CREATE TABLE `local.main.{name}` AS SELECT 'mine' AS id, 1 AS seq, 2 AS value")
    deploy(world, contract(name))
    merge(world, name, "1.csv", "id,seq,value\na,1,5\n")
    found = dead_letter(world)
    assert (found.reason, f"dropmerge adopt {name}" in found.error) == ("table_not_adopted", True)
    assert rows(world, name) == [{"id": "mine", "seq": 1, "value": 2}]


def test_g9_a_table_of_an_earlier_release_goes_on(world: World, name: str) -> None:
    """Its loads, which the ledger has without a table, are loads of this table."""
    deploy(world, contract(name))
    world.drop(name, "1.csv", b"id,seq,value\na,1,5\n")
    notification = world.waiting[0]
    world.deliver_all()
    connection = world.pipeline.connection
    connection.rows(f"DELETE FROM `ops.main_tables` WHERE feed = '{name}'")
    connection.rows(f"UPDATE `ops.ledger` SET table_id = NULL, contract = NULL WHERE feed = '{name}'")
    deploy(world, contract(name))
    world.waiting.append(notification)
    merge(world, name, "2.csv", "id,seq,value\nb,1,6\n")
    assert [row["id"] for row in rows(world, name)] == ["a", "b"]
    assert len(world.rows(f"SELECT load_id FROM `ops.ledger` WHERE feed = '{name}'")) == 2


def test_g9_columns_that_a_feed_adds_are_one_whatever_their_case(world: World, name: str) -> None:
    """BigQuery ignores the case of a column's name, and two files may be merged together."""
    deploy(world, contract(name, Terms(note=None, unknown="add")))
    world.drop(name, "1.csv", b"id,seq,value,Colour\na,1,5,red\n")
    world.drop(name, "2.csv", b"id,seq,value,colour\nb,1,5,blue\n")
    world.drop(name, "3.csv", b"id,seq,value\nc,1,5\n")
    world.deliver_all()
    assert [row["colour"] for row in rows(world, name)] == ["red", "blue", None]
    assert world.dead_letters == []


def test_g9_a_contract_is_known_by_what_decides_rows(name: str) -> None:
    """Neither a description nor the pattern of objects makes another contract; a check does."""
    plain = contract(name)
    columns = Terms(note=None).yaml(name)["columns"]
    described = contract(name, columns=[{**one, "description": "x"} for one in columns], objects="incoming/other/*")
    assert described.fingerprint == plain.fingerprint
    assert contract(name, Terms(note=None, check="value > 0")).fingerprint != plain.fingerprint
