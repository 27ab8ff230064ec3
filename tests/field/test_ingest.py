"""Cases from the field about headers: files of another age, columns nobody knows, names that were meant otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline

_FEED = """
feed: {feed}
objects: incoming/{feed}/*
format: {{type: csv}}
table: main.{feed}
key: [id]
version: v
delete: {delete}
columns:
  - {{name: id, type: STRING}}
  - {{name: a, type: INT64}}
  - {{name: b, type: STRING}}
  - {{name: v, type: INT64}}
unknown_columns: {unknown}
bad_rows: {{at_most: 1}}
"""
_MARKED = "{column: op, equals: D}"
_NAMED = "{column: op, equals: D, others: [I, U]}"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("headers")
    feeds = folder / "feeds"
    feeds.mkdir()
    for feed, unknown, delete in (
        *(("strict", "reject", _MARKED), ("named", "reject", _NAMED), ("ignores", "ignore", _MARKED)),
        *(("rescues", "rescue", _MARKED), ("adds", "add", _MARKED)),
    ):
        (feeds / f"{feed}.yaml").write_text(_FEED.format(feed=feed, unknown=unknown, delete=delete))
    with running(folder, feeds) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return Commands.of(pipeline)


def _rows(pipeline: Pipeline, feed: str, columns: str, prefix: str) -> list[tuple[Any, ...]]:
    """Of live rows whose id begins so."""
    sql = f"SELECT {columns} FROM `main.{feed}` WHERE NOT _deleted AND STARTS_WITH(id, @prefix) ORDER BY id"
    return [tuple(row.values()) for row in pipeline.connection.rows(sql, {"prefix": ("STRING", prefix)})]


def test_g1_files_from_before_and_after_a_new_column_make_one_table(pipeline: Pipeline) -> None:
    """One contract takes both, in either order: a whole archive can be loaded again."""
    for order, files in (("x", "abc"), ("y", "cba")):
        data = {
            "a": f"id,a,v\n{order}1,10,1\n{order}2,20,1\n",
            "b": f"id,a,v\n{order}2,21,2\n{order}3,30,2\n",
            "c": f"id,a,b,v\n{order}4,40,x,3\n",
        }
        for name in files:
            pipeline.drop(f"{order}-{name}.csv", data[name], "strict")
            pipeline.wait_until_idle()
        expected = [("1", 10, None), ("2", 21, None), ("3", 30, None), ("4", 40, "x")]
        assert _rows(pipeline, "strict", "SUBSTR(id, 2), a, b", order) == expected


def test_g3_a_delete_column_spelt_otherwise_is_no_update(pipeline: Pipeline) -> None:
    """The feed ignores unknown columns, and still not this one."""
    pipeline.drop("near-a.csv", "id,a,v\nk1,1,1\n", "ignores")
    pipeline.wait_until_idle()
    uri = pipeline.drop("near-b.csv", "id,a,v,Op\nk1,1,2,D\n", "ignores")
    pipeline.wait_until_idle()
    dead = pipeline.dead_letter(uri)
    assert (dead.reason, dead.error.rpartition(": ")[2]) == (
        "wrong_header",
        "column 'Op' is not in the contract (did you mean op?)",
    )
    assert _rows(pipeline, "ignores", "id, v", "k") == [("k1", 1)]


def test_g3_g7_a_marker_that_the_contract_does_not_know_is_no_update(pipeline: Pipeline, commands: Commands) -> None:
    """Past the tolerance the file is refused, within it the row is set aside."""
    pipeline.drop("marked-a.csv", "id,a,v,op\nk1,1,1,I\nk2,1,1,I\nk3,1,1,U\n", "named")
    pipeline.wait_until_idle()
    uri = pipeline.drop("marked-b.csv", "id,a,v,op\nk1,1,2,d\nk2,1,2,DELETE\nk3,1,2,D \n", "named")
    pipeline.wait_until_idle()
    assert "3 unknown_delete_marker: op" in pipeline.dead_letter(uri).error
    pipeline.drop("marked-c.csv", "id,a,v,op\nk1,1,2,D\nk2,2,2,U\nk3,2,2,DELETE\n", "named")
    pipeline.wait_until_idle()
    assert _rows(pipeline, "named", "id, a", "k") == [("k2", 2), ("k3", 1)]
    (aside,) = commands.json("rejected", "--feed", "named", "--object", "*-c.csv")
    assert aside["reasons"] == ["unknown_delete_marker: op"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("semicolons", "id;a;b;v\nx;1;b;1\n", "(is the delimiter ';'?)"),
        ("trailing", "id,a,b,v,\nx,1,b,1,\n", "(an empty name at the end: is it trailing_delimiter: true?)"),
        ("index", ",id,a,b,v\n0,x,1,b,1\n", "(an empty name at the beginning: an index column without a name, which"),
    ],
)
def test_a_header_that_does_not_fit_is_explained(pipeline: Pipeline, name: str, data: str, words: str) -> None:
    uri = pipeline.drop(f"{name}.csv", data, "strict")
    pipeline.wait_until_idle()
    assert words in pipeline.dead_letter(uri).error


def test_g1_unknown_columns_are_rescued(pipeline: Pipeline) -> None:
    """By their names in the file, beside those of files that had others; a newer row takes its own along."""
    pipeline.drop("r1.csv", 'id,v,"it\'s ""new"""\nr1,1,x\nr2,1,\n', "rescues")
    pipeline.wait_until_idle()
    pipeline.drop("r2.csv", "id,v,colour,\nr2,2,red,7\nr3,1,blue,\n", "rescues")
    pipeline.wait_until_idle()
    found = _rows(pipeline, "rescues", "id, TO_JSON_STRING(_rescued)", "r")
    assert found == [("r1", '{"it\'s \\"new\\"":"x"}'), ("r2", '{"":"7","colour":"red"}'), ("r3", '{"colour":"blue"}')]
    pipeline.drop("r3.csv", "id,v\nr1,2\n", "rescues")
    pipeline.wait_until_idle()
    assert _rows(pipeline, "rescues", "id, _rescued IS NULL", "r1") == [("r1", True)]


def test_g1_unknown_columns_are_added(pipeline: Pipeline) -> None:
    """Files that lack them have NULL there, whatever their order."""
    pipeline.drop("a1.csv", "id,v\na1,1\n", "adds")
    pipeline.wait_until_idle()
    pipeline.drop("a2.csv", "id,v,colour,order\na2,1,red,7\n", "adds")
    pipeline.drop("a3.csv", "shape,id,v\nround,a3,1\n", "adds")
    pipeline.wait_until_idle()
    pipeline.drop("a4.csv", "id,v,op\na4,1,\n", "adds")
    pipeline.wait_until_idle()
    found = _rows(pipeline, "adds", "id, colour, `order`, shape", "a")
    assert found == [
        *(("a1", None, None, None), ("a2", "red", "7", None)),
        *(("a3", None, None, "round"), ("a4", None, None, None)),
    ]


@pytest.mark.parametrize("feed", ["rescues", "adds"])
def test_g7_a_refused_row_keeps_what_the_contract_does_not_know(
    pipeline: Pipeline, commands: Commands, tmp_path: Path, feed: str
) -> None:
    """Exported, fixed and dropped again it has all that it had."""
    pipeline.drop("bad.csv", "id,a,v,colour\nbad1,x,1,red\n", feed)
    pipeline.wait_until_idle()
    file = tmp_path / "fixed.csv"
    commands.run("rejected", "--feed", feed, "--object", "*/bad.csv", "--csv", file)
    assert file.read_text() == "id,a,b,v,colour\nbad1,x,,1,red\n"
    pipeline.drop("fixed.csv", file.read_text().replace("x", "5"), feed)
    pipeline.wait_until_idle()
    column = "colour" if feed == "adds" else "JSON_VALUE(_rescued, '$.colour')"
    assert _rows(pipeline, feed, f"a, {column}", "bad") == [(5, "red")]
