"""Cases from the field that a main table made anew from the archive settles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from dropmerge.operations.errors import NotDone
from dropmerge.operations.rebuild.archive import Window
from dropmerge.operations.rebuild.rebuild import Rebuild, Rebuilt, give_up, rebuild_in_place, rebuild_into
from dropmerge.operations.rebuild.verify import Verification
from dropmerge.operations.rejected.reading import Reading
from dropmerge.operations.rejected.selection import Selection
from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from tests.harness.changes.world import World
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds

_CONTRACT = """
feed: {name}
objects: incoming/{name}/*
format: {{type: csv}}
table: main.{name}
key: [id, region]
version: v
columns:
  - {{name: id, type: STRING}}
  - {{name: region, type: STRING}}
  - {{name: a, type: STRING}}
  - {{name: v, type: INT64}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("rebuild")
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        yield World(pipeline)


def _feed(name: str, **changed: Any) -> Feed:
    return Feed.model_validate(yaml.safe_load(_CONTRACT.format(name=name)) | changed)


def _columns(**types: str) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in types.items()]


@dataclass
class _Deployed:
    world: World
    feed: Feed

    def __post_init__(self) -> None:
        for service in ("ingest", "merge"):
            self.world.deploy(service, self.feed)

    def drop(self, name: str, *lines: str) -> ObjectGeneration:
        source = self.world.drop(self.feed.name, name, "\n".join(lines).encode() + b"\n")
        self.world.deliver_all()
        return source

    def rebuild(self, **options: Any) -> Rebuilt:
        return Rebuild(rebuild_in_place(self.world.pipeline.connection, self.feed), **options).run()

    def rows(self, columns: str = "id, region, a", table: str = "") -> list[tuple[Any, ...]]:
        found = self.world.rows(f"SELECT {columns} FROM `{table or self.feed.table}` ORDER BY {columns}")
        return [tuple(one.values()) for one in found]


def test_g9_key_narrowed(world: World) -> None:
    """Merge refuses the contract, and goes on after the rebuild: the new key has one row."""
    before = _Deployed(world, _feed("narrowed"))
    before.drop("1.csv", "id,region,a,v", "1,EU,x,1", "1,US,y,2")
    after = _Deployed(world, _feed("narrowed", key=["id"]))
    after.drop("2.csv", "id,region,a,v", "2,EU,z,1")
    assert len(world.dead_letters) == 1
    world.replay()
    after.rebuild()
    world.deliver_all()
    assert after.rows() == [("1", "US", "y"), ("2", "EU", "z")]
    assert world.dead_letters == []
    table = world.pipeline.connection.warehouse.find_table("local.main.narrowed")
    assert table is not None
    assert table.clustering_fields == ["id"]


def test_g9_table_renamed(world: World) -> None:
    """The new table has every file, the old one stays as it was, and later files are merged into the new one."""
    before = _Deployed(world, _feed("moved"))
    before.drop("1.csv", "id,region,a,v", "1,EU,x,1")
    after = _Deployed(world, _feed("moved", table="main.moved_to"))
    assert after.rebuild().table == "main.moved_to"
    after.drop("2.csv", "id,region,a,v", "2,EU,z,1")
    assert world.dead_letters == []
    assert after.rows() == [("1", "EU", "x"), ("2", "EU", "z")]
    assert before.rows() == [("1", "EU", "x")]
    assert Verification(world.pipeline.connection, after.feed).run().is_equal


def test_g1_g9_columns_that_files_bring_are_one_whatever_their_case(world: World) -> None:
    """As for merge: BigQuery ignores the case of a column's name, and the files are merged together."""
    feed = _Deployed(world, _feed("brought", unknown_columns="add"))
    feed.drop("1.csv", "id,region,a,v,Colour", "1,EU,x,1,red")
    feed.drop("2.csv", "id,region,a,v,colour", "2,EU,y,1,blue")
    before = feed.rows("id, colour")
    assert feed.rebuild().refused == []
    table = world.pipeline.connection.warehouse.find_table("local.main.brought")
    assert table is not None
    assert [one.name for one in table.schema if one.name.lower() == "colour"] == ["colour"]
    assert feed.rows("id, colour") == before == [("1", "red"), ("2", "blue")]


def test_g9_another_table_of_the_new_name_is_not_replaced(world: World) -> None:
    """It may be anybody's."""
    _Deployed(world, _feed("guarded")).drop("1.csv", "id,region,a,v", "1,EU,x,1")
    world.pipeline.connection.warehouse.query("CREATE TABLE `main.taken` AS SELECT 1 AS n")
    after = _Deployed(world, _feed("guarded", table="main.taken"))
    with pytest.raises(NotDone, match="a rebuild would replace it"):
        after.rebuild()
    assert after.rows("n") == [(1,)]


def test_g9_a_type_changed_and_a_column_removed(world: World) -> None:
    """The files are read anew by the contract of now."""
    _Deployed(world, _feed("typed")).drop("1.csv", "id,region,a,v", "1,EU,7,1")
    columns = _columns(id="STRING", a="INT64", v="INT64")
    after = _Deployed(world, _feed("typed", key=["id"], columns=columns, unknown_columns="ignore"))
    after.rebuild()
    assert [name for name in world.rows("SELECT * FROM `main.typed`")[0] if name[0] != "_"] == ["id", "a", "v"]
    assert after.rows("id, a") == [("1", 7)]
    assert world.rows("SELECT * FROM `main.typed_current`") == [{"id": "1", "a": 7, "v": 1}]


def test_g9_reload_after_a_new_column(world: World) -> None:
    """An older file that lacks it gives NULL."""
    _Deployed(world, _feed("grown")).drop("1.csv", "id,region,a,v", "1,EU,x,1")
    columns = _columns(id="STRING", region="STRING", a="STRING", b="STRING", v="INT64")
    after = _Deployed(world, _feed("grown", columns=columns))
    after.drop("2.csv", "id,region,a,b,v", "2,EU,x,new,1")
    rows = after.rows("id, b")
    assert after.rebuild().files == 2
    assert after.rows("id, b") == rows == [("1", None), ("2", "new")]


def test_g1_a_main_table_that_was_dropped_is_made_again(world: World) -> None:
    """Of all its files, without a backfill."""
    live = _Deployed(world, _feed("dropped_table"))
    live.drop("1.csv", "id,region,a,v", "1,EU,x,1")
    world.pipeline.connection.warehouse.drop_table("local.main.dropped_table")
    live.rebuild()
    live.drop("2.csv", "id,region,a,v", "2,EU,z,1")
    assert live.rows() == [("1", "EU", "x"), ("2", "EU", "z")]


def test_g1_a_table_of_an_earlier_release_is_rebuilt(world: World) -> None:
    """The ledger said which loads were applied, and not to which table."""
    live = _Deployed(world, _feed("legacy"))
    live.drop("1.csv", "id,region,a,v", "1,EU,x,1")
    for one in (
        "DELETE FROM `ops.main_tables` WHERE feed = 'legacy'",
        "UPDATE `ops.ledger` SET table_id = NULL, contract = NULL WHERE feed = 'legacy'",
    ):
        world.pipeline.connection.warehouse.query(one)
    assert live.rebuild().files == 1
    live.drop("2.csv", "id,region,a,v", "2,EU,z,1")
    assert live.rows() == [("1", "EU", "x"), ("2", "EU", "z")]


def test_g2_rows_do_not_vanish_with_a_file_that_cannot_be_read_now(world: World) -> None:
    """Nothing is replaced, the file and why are named; on demand the rebuild goes on without it."""
    _Deployed(world, _feed("strict")).drop("1.csv", "id,region,a,v", "1,EU,many,1")
    after = _Deployed(world, _feed("strict", columns=_columns(id="STRING", region="STRING", a="INT64", v="INT64")))
    with pytest.raises(NotDone, match=r"(?s)1\.csv#\d+: too_many_bad_rows.*--allow-missing"):
        after.rebuild()
    assert after.rows() == [("1", "EU", "many")]
    found = after.rebuild(allow_missing=True)
    assert [one.reason for one in found.refused] == ["too_many_bad_rows"]
    assert after.rows() == []


@pytest.mark.parametrize("step", ["", "merged", "placed", "reopened"])
def test_g7_what_a_rebuild_refuses_is_listed_and_nothing_else(world: World, step: str) -> None:
    """A row that passes now is off the list, one that fails now is on it; a rebuild that died was none."""
    name = f"judged_{step or 'once'}"
    before = _Deployed(world, _feed(name, columns=_checked("a != '1'"), bad_rows={"at_most": 1}))
    before.drop("1.csv", "id,region,a,v", "1,EU,1,1", "2,EU,2,1", "3,EU,3,1")
    before.drop("2.csv", "id,region,a,v", "4,EU,3,1", "5,EU,5,1")
    other = _Deployed(world, _feed(f"{name}_beside", columns=_checked("a != '1'"), bad_rows={"at_most": 1}))
    other.drop("1.csv", "id,region,a,v", "1,EU,1,1")
    after = _Deployed(world, _feed(name, columns=_checked("a != '3'"), bad_rows={"at_most": 1}))
    assert _listed(world, name) == [("1", "check_failed: a")]

    def die(now: str, count: int) -> None:
        if now == step:
            raise _Killed

    if step:
        with pytest.raises(_Killed):
            after.rebuild(tell=die)
    assert after.rebuild().rejected_rows == 2
    assert after.rows("id") == [("1",), ("2",), ("5",)]
    assert _listed(world, name) == [("3", "check_failed: a"), ("4", "check_failed: a")]
    assert _listed(world, other.feed.name) == [("1", "check_failed: a")]
    assert not any("_rejected" in one for one in world.pipeline.connection.warehouse.list_tables("staging", "_"))


class _Killed(Exception):
    """As a kill -9: nothing is cleaned up."""


def _checked(check: str) -> list[dict[str, str]]:
    return [*_columns(id="STRING", region="STRING", v="INT64"), {"name": "a", "type": "STRING", "check": check}]


def _listed(world: World, feed: str) -> list[tuple[str, ...]]:
    """Ids and reasons of the rows that `dropmerge rejected` lists."""
    rows = Reading(world.pipeline.connection).all(Selection(feed))
    return sorted((str(one.row["id"]), *one.reasons) for one in rows)


def test_g2_rows_do_not_vanish_with_a_copy_that_is_gone(world: World) -> None:
    """The archive's lifecycle, or somebody, deleted it."""
    live = _Deployed(world, _feed("expired"))
    live.drop("1.csv", "id,region,a,v", "1,EU,x,1")
    (blob,) = world.pipeline.connection.storage.list_blobs("archive", prefix="expired/")
    blob.delete()
    with pytest.raises(NotDone, match="the archive has no copy of its file"):
        live.rebuild()
    assert live.rows() == [("1", "EU", "x")]
    assert len(Verification(world.pipeline.connection, live.feed).run().gone) == 1


def test_g2_a_rebuild_that_cannot_finish_leaves_the_live_table_open(world: World) -> None:
    """A file that is merged at the last moment and cannot be read: later files are merged as before."""
    before = _Deployed(world, _feed("reopened"))
    before.drop("1.csv", "id,region,a,v", "1,EU,1,1")
    typed = _feed("reopened", columns=_columns(id="STRING", region="STRING", a="INT64", v="INT64"))

    def drop(step: str, count: int) -> None:
        if step == "caught up":
            before.drop("late.csv", "id,region,a,v", "2,EU,many,1")

    with pytest.raises(NotDone, match="too_many_bad_rows"):
        Rebuild(rebuild_in_place(world.pipeline.connection, typed), tell=drop).run()
    before.drop("3.csv", "id,region,a,v", "3,EU,x,1")
    assert len(before.rows()) == 3
    give_up(rebuild_in_place(world.pipeline.connection, typed))
    assert world.rows("SELECT * FROM `ops.main_tables` WHERE feed = 'reopened__rebuild'") == []


def test_g1_merges_wait_while_the_rows_are_replaced(world: World) -> None:
    """A file dropped when the table is closed is merged into the new one."""
    live = _Deployed(world, _feed("waiting"))
    live.drop("1.csv", "id,region,a,v", "1,EU,x,1")

    def drop(step: str, count: int) -> None:
        if step == "closed":
            world.drop("waiting", "2.csv", b"id,region,a,v\n2,EU,z,1\n")
            world.deliver(0)
            world.deliver(0)
            assert live.rows() == [("1", "EU", "x")]

    live.rebuild(tell=drop)
    world.deliver_all()
    assert live.rows() == [("1", "EU", "x"), ("2", "EU", "z")]
    assert world.dead_letters == []


def test_g1_a_part_of_the_files_into_a_table_of_its_own(world: World) -> None:
    """The live table is as before, and so is what is said of its files; a table that is there is not touched."""
    connection = world.pipeline.connection
    live = _Deployed(world, _feed("partial"))
    first = live.drop("1.csv", "id,region,a,v", "1,EU,x,1")
    live.drop("2.csv", "id,region,a,v", "1,EU,y,2")
    window = Window(until=first.created)
    build = rebuild_into(connection, live.feed, "main.past", window)
    assert Rebuild(build, window).run().files == 1
    assert live.rows(table="main.past") == [("1", "EU", "x")]
    assert live.rows() == [("1", "EU", "y")]
    with pytest.raises(NotDone, match=r"main\.past already exists"):
        Rebuild(build, window).run()


def test_g1_rows_of_before_the_first_file_are_in_the_new_table(world: World) -> None:
    """Those that `adopt` kept: no file has them."""
    live = _Deployed(world, _feed("taken_over"))
    live.drop("1.csv", "id,region,a,v", "1,EU,new,2")
    world.pipeline.connection.warehouse.query(
        "CREATE TABLE `ops.adopted_main_taken_over` AS "
        "SELECT id, 'EU' AS region, 'old' AS a, 1 AS v, FALSE AS _deleted, 0 AS _generation, '' AS _object, "
        "'adopted' AS _load_id FROM UNNEST(['1', '9']) AS id"
    )
    (missing,) = Verification(world.pipeline.connection, live.feed).run().listed
    assert (missing.what, missing.key["id"]) == ("missing", "9")
    for _ in range(2):
        assert live.rebuild().files == 1
        assert live.rows() == [("1", "EU", "new"), ("9", "EU", "old")]
    assert Verification(world.pipeline.connection, live.feed).run().is_equal


def test_g9_rows_that_another_contract_read_are_told_apart(world: World) -> None:
    """They are made new by a rebuild."""
    before = _Deployed(world, _feed("read_anew"))
    before.drop("1.csv", "id,region,v", "1,EU,1")
    columns = [*_columns(id="STRING", region="STRING", v="INT64"), {"name": "a", "type": "STRING", "default": "none"}]
    after = _Deployed(world, _feed("read_anew", columns=columns))
    found = Verification(world.pipeline.connection, after.feed).run()
    assert found.counts == {"changed": 1}
    assert found.other_contracts == {before.feed.fingerprint: 1}
    assert found.listed[0].columns == {"a": (None, "none")}
    after.rebuild()
    assert Verification(world.pipeline.connection, after.feed).run().is_equal
