"""Faults that no contract has on its own keep the services from starting, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.shared.contract.reader import ContractError, read_feeds

_CONTRACT = """\
feed: {feed}
objects: {objects}
format: {{type: csv}}
table: {table}
key: [id]
version: v
columns:
  - {{name: id, type: STRING}}
  - {{name: v, type: INT64}}
"""


def _write(folder: Path, feed: str, objects: str = "", table: str = "", more: str = "") -> None:
    text = _CONTRACT.format(feed=feed, objects=objects or f"in/{feed}/*", table=table or f"main.{feed}")
    (folder / f"{feed}.yaml").write_text(text + more)


def _said(folder: Path) -> str:
    with pytest.raises(ContractError) as caught:
        read_feeds(folder)
    return str(caught.value).replace(f"{folder}/", "")


def test_two_feeds_that_want_one_object_are_refused(tmp_path: Path) -> None:
    """With an object that both want: the first by name would get it, in silence."""
    _write(tmp_path, "a", "in/a/**")
    _write(tmp_path, "b", "in/*/b.csv")
    _write(tmp_path, "c", "in/c/*")
    both = "a (in/a/**) and b (in/*/b.csv)"
    names = "c (in/c/*)"
    assert _said(tmp_path) == (
        f"b.yaml:2:10: objects: an object such as in/a/b.csv matches both {both}: no name may match two patterns; "
        f"c.yaml:2:10: objects: an object such as in/c/b.csv matches both b (in/*/b.csv) and {names}: "
        "no name may match two patterns"
    )


@pytest.mark.parametrize("table", ["main.a", "Main.A"])
def test_two_feeds_with_one_table_are_refused(tmp_path: Path, table: str) -> None:
    """The local warehouse ignores case, and so does a reader."""
    _write(tmp_path, "a")
    _write(tmp_path, "b", table=table)
    assert _said(tmp_path).startswith(f"b.yaml:4:8: table: table {table} already belongs to feed a")


@pytest.mark.parametrize(
    ("owner", "other", "table"),
    [("a", "b", "main.a_current"), ("b", "a", "main.b_current"), ("A", "b", "Main.a_Current")],
)
def test_a_table_that_is_another_feeds_view_is_refused(tmp_path: Path, owner: str, other: str, table: str) -> None:
    """In whichever order the files are read, and in whatever case."""
    _write(tmp_path, owner.lower(), table=f"main.{owner}")
    _write(tmp_path, other, table=table)
    assert f"{other}.yaml:4:8: table: {table} is the view of feed {owner.lower()}" in _said(tmp_path)


@pytest.mark.parametrize(
    ("table", "what"),
    [("main.A_history", "the view of feed a, the versions of its rows"), ("main.a_versions", "the table of feed a")],
)
def test_a_table_where_another_feed_keeps_versions_is_refused(tmp_path: Path, table: str, what: str) -> None:
    """Of a feed that keeps none, the names are free."""
    _write(tmp_path, "a")
    _write(tmp_path, "b", table=table)
    assert list(read_feeds(tmp_path)) == ["a", "b"]
    _write(tmp_path, "a", more="history: true\n")
    assert f"b.yaml:4:8: table: {table} is {what}" in _said(tmp_path)


def test_feeds_that_do_not_meet_are_read(tmp_path: Path) -> None:
    """A name that ends as a view's does is nobody's view."""
    _write(tmp_path, "a", table="main.x_current")
    _write(tmp_path, "b", table="other.x")
    assert list(read_feeds(tmp_path)) == ["a", "b"]
