"""A table of versions through the commands that make, compare, replace and purge; and tables of the other modes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dropmerge.operations.adopt import adopt, plan_adoption
from dropmerge.operations.errors import NotDone
from dropmerge.operations.feeds.against import effects
from dropmerge.operations.rebuild.plan import differences
from dropmerge.operations.rebuild.rebuild import Rebuild, rebuild_in_place
from dropmerge.operations.rebuild.verify import Verification
from dropmerge.operations.tombstones import OldTombstones, purge
from services.shared.contract.feed import Feed
from tests.harness.changes.world import World
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("history")
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        yield World(pipeline)


def _feed(name: str, **more: Any) -> Feed:
    """Columns id, a and v."""
    kinds = {"id": "STRING", "a": "STRING", "v": "INT64"}
    columns = [{"name": one, "type": kind} for one, kind in kinds.items()]
    fields = {"feed": name, "objects": f"incoming/{name}/*", "format": {"type": "csv"}, "table": f"main.{name}"}
    return Feed.model_validate({**fields, "columns": columns, **more})


def _deploy(world: World, feed: Feed) -> None:
    for service in ("ingest", "merge"):
        world.deploy(service, feed)


def _drop(world: World, feed: Feed, *rows: str) -> None:
    header = "id,a,v,op" if feed.delete else "id,a,v"
    world.drop(feed.name, f"{len(rows)}-{rows[0]}.csv", "\n".join([header, *rows]).encode() + b"\n")
    world.deliver_all()


def _rows(world: World, table: str, columns: str = "id, a, v") -> list[tuple[Any, ...]]:
    found = world.rows(f"SELECT {columns} FROM `{table}` ORDER BY {columns}")
    return [tuple(one.values()) for one in found]


def _history(world: World, feed: Feed) -> list[tuple[Any, ...]]:
    return _rows(world, f"{feed.table}_history", "id, a, _valid_from, _valid_to, _is_current")


def _rebuild(world: World, feed: Feed) -> None:
    Rebuild(rebuild_in_place(world.pipeline.connection, feed)).run()


def _purge(world: World, feed: Feed) -> None:
    """All tombstones that are there by now."""
    purge(world.pipeline.connection, OldTombstones(feed, datetime.now(UTC) + timedelta(minutes=1), 1))


def test_g1_g9_versions_from_their_beginning_to_their_end(world: World) -> None:
    """Begun by a rebuild for a table that has rows, verified, purged around, and ended by a rebuild."""
    connection, terms = world.pipeline.connection, {"key": ["id"], "version": "v"}
    delete = {"column": "op", "equals": "D"}
    without, with_ = (_feed("kept", **terms, delete=delete, history=one) for one in (False, True))
    _deploy(world, without)
    _drop(world, without, "1,x,1,U", "2,x,1,U")
    _deploy(world, with_)
    (effect,) = effects(connection, [with_])
    assert (effect.effect, "dropmerge rebuild kept" in effect.sentences[0]) == ("contract_changed", True)
    _drop(world, with_, "1,z,9,U", "2,,3,D")
    assert len(world.dead_letters) == 1
    _rebuild(world, with_)
    world.replay()
    world.deliver_all()
    _drop(world, with_, "1,y,5,U")
    expected = [("1", "x", 1, 5, False), ("1", "y", 5, 9, False), ("1", "z", 9, None, True), ("2", "x", 1, 3, False)]
    assert _history(world, with_) == expected

    connection.warehouse.query("UPDATE `main.kept_versions` SET a = 'other' WHERE v = 5")
    (found,) = Verification(connection, with_).run().listed
    assert (found.table, found.key, found.columns) == (
        "main.kept_versions",
        {"id": "1", "v": 5},
        {"a": ("other", "y")},
    )
    _purge(world, with_)
    assert _rows(world, "main.kept") == [("1", "z", 9)]
    _rebuild(world, with_)
    assert _history(world, with_) == expected

    _deploy(world, without)
    dropped = [one for one in differences(rebuild_in_place(connection, without)) if "are dropped" in one]
    assert dropped == ["main.kept_versions and main.kept_history are dropped: versions are no longer kept"]
    _rebuild(world, without)
    _drop(world, without, "3,x,1,U")
    assert sorted(connection.warehouse.list_tables("main", "kept")) == ["kept", "kept_current"]
    assert world.dead_letters == []


def _make_by_hand(world: World, feed: Feed) -> None:
    world.pipeline.connection.warehouse.query(f"CREATE TABLE `{feed.table}` (id STRING, a STRING, v INT64)")
    world.pipeline.connection.warehouse.query(f"INSERT INTO `{feed.table}` (id, a, v) VALUES ('0', 'old', 0)")


def test_a_table_that_was_there_before_gets_its_history_by_a_rebuild(world: World) -> None:
    """The rows of before are versions like any other."""
    connection, terms = world.pipeline.connection, {"key": ["id"], "version": "v"}
    with_, without = (_feed("before", **terms, history=one) for one in (True, False))
    _make_by_hand(world, with_)
    with pytest.raises(NotDone, match="Adopt it without history, then add history again"):
        plan_adoption(connection, with_)
    adopt(connection, plan_adoption(connection, without))
    _rebuild(world, with_)
    _deploy(world, with_)
    _drop(world, with_, "0,new,3")
    assert _history(world, with_) == [("0", "new", 3, None, True), ("0", "old", 0, 3, False)]


@pytest.mark.parametrize(
    ("mode", "more", "rows"),
    [
        ("append", {}, [("0", "old", 0), ("1", "x", 1), ("1", "x", 1), ("1", "x", 1), ("2", "y", 2)]),
        ("snapshot", {"key": ["id"], "snapshot": {"at_least": 0}}, [("2", "y", 2)]),
    ],
)
def test_g1_g3_tables_of_the_other_modes(world: World, mode: str, more: Any, rows: Any) -> None:
    """Adopted, verified, purged and rebuilt; what is purged comes back by no older file."""
    connection, feed = world.pipeline.connection, _feed(f"mode_{mode}", mode=mode, **more)
    _make_by_hand(world, feed)
    adopt(connection, plan_adoption(connection, feed))
    _deploy(world, feed)
    world.drop(feed.name, "late.csv", b"id,a,v\n1,x,1\n1,x,1\n")
    late = world.waiting.pop()
    _drop(world, feed, "1,x,1", "2,y,2")
    if mode == "snapshot":
        _drop(world, feed, "2,y,2")
    assert Verification(connection, feed).run().is_equal
    _purge(world, feed)
    world.waiting.append(late)
    world.deliver_all()
    assert _rows(world, f"{feed.table}_current") == rows
    _rebuild(world, feed)
    assert _rows(world, f"{feed.table}_current") == rows
    assert world.dead_letters == []
