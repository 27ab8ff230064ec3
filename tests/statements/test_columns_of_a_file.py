"""Files that lack columns of the contract or have more, checked by Google's own engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.order import ranking
from services.shared.contract.types import TYPES
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import Texts, check, merge, stage
from tests.harness.statements.feeds import GOOD

_LOAD = Load("things", ObjectGeneration("landing", "t.csv", 1751328000000000))
_ID = {"id": "a", "version": "1"}


def _feed(*columns: dict[str, Any], **more: Any) -> Feed:
    fixed = [{"name": "id", "type": "STRING"}, {"name": "version", "type": "INT64"}]
    fields = {"objects": "x/*", "format": {"type": "csv"}, "table": "main.things", "key": ["id"], "version": "version"}
    return Feed.model_validate(
        {"feed": "things", "columns": [*fixed, *columns], "bad_rows": {"at_most": "100%"}, **fields, **more}
    )


def _checked(feed: Feed, *rows: Texts) -> list[dict[str, Any]]:
    return check(GoogleSql(), feed, _LOAD, rows)


def test_g1_a_column_that_a_file_lacks_is_null() -> None:
    """In every type; the same as an empty field."""
    columns = [{"name": f"a_{kind.lower()}", "type": kind} for kind in TYPES]
    (lacking,) = _checked(_feed(*columns), _ID)
    (empty,) = _checked(_feed(*columns), {**_ID, **{str(one["name"]): "" for one in columns}})
    assert lacking == empty
    assert lacking["_reasons"] == []
    assert {lacking[str(one["name"])] for one in columns} == {None}


def test_g1_a_column_that_a_file_lacks_is_its_default() -> None:
    """In every type; the same as the default's text in each field."""
    columns = [{"name": f"a_{kind.lower()}", "type": kind, "default": GOOD[kind]} for kind in TYPES]
    (lacking,) = _checked(_feed(*columns), _ID)
    (given,) = _checked(_feed(*columns), {**_ID, **{str(one["name"]): str(one["default"]) for one in columns}})
    assert lacking == given
    assert None not in [lacking[str(one["name"])] for one in columns]


def test_an_empty_field_is_null_whatever_the_default() -> None:
    """A default is for a file that has no such column."""
    (row,) = _checked(_feed({"name": "x", "type": "STRING", "default": "d"}), {**_ID, "x": ""})
    assert row["x"] is None


def test_g7_a_default_is_checked_like_any_text() -> None:
    column = {"name": "x", "type": "INT64", "default": "7", "check": "x > 10"}
    (row,) = _checked(_feed(column), _ID)
    assert row["_reasons"] == ["check_failed: x"]
    assert json.loads(row["_row"]) == {**_ID, "x": "7"}


def test_a_default_is_a_text_like_any_other() -> None:
    """No sign of it means anything to SQL."""
    default = 'it\'s \\ "7"\n@generation'
    (row,) = _checked(_feed({"name": "x", "type": "STRING", "default": default}), _ID)
    assert row["x"] == default


def test_g3_a_delete_has_no_default() -> None:
    """A delete needs its key and version only; what else it had would take part in the order of rows."""
    feed = _feed({"name": "x", "type": "INT64", "default": "7"}, delete={"column": "op", "equals": "D"})
    deleted, live = _checked(feed, {**_ID, "op": "D"}, {**_ID, "op": ""})
    assert (deleted["_deleted"], deleted["x"]) == (True, None)
    assert (live["_deleted"], live["x"]) == (False, 7)


_MARKED = 'it\'s \\ "NULL"'


def test_a_null_marker_is_null_in_every_type() -> None:
    """The same as an empty field, checks and the order of rows included; only as a whole and exactly."""
    columns = [{"name": f"a_{kind.lower()}", "type": kind, "check": f"a_{kind.lower()} IS NULL"} for kind in TYPES]
    feed = _feed(*columns, format={"type": "csv", "nulls": [_MARKED, "\\N"]})
    names = [str(one["name"]) for one in columns]
    rows = _checked(feed, *({**_ID, **dict.fromkeys(names, text)} for text in (_MARKED, "\\N", "", "\\n", "\\N ")))
    assert rows[0] == rows[1] == rows[2]
    assert rows[0]["_reasons"] == []
    assert [row["a_string"] for row in rows] == [None, None, None, "\\n", "\\N "]
    assert all(len(row["_reasons"]) >= len(TYPES) for row in rows[3:])


def test_a_column_has_nulls_of_its_own() -> None:
    """They stand in the place of the file's: to Namibia's country code none applies."""
    feed = _feed(
        {"name": "country", "type": "STRING", "nulls": []},
        {"name": "code", "type": "STRING", "nulls": ["-"]},
        {"name": "other", "type": "STRING"},
        format={"type": "csv", "nulls": ["NA"]},
    )
    names = ("country", "code", "other")
    rows = _checked(feed, {**_ID, **dict.fromkeys(names, "NA")}, {**_ID, **dict.fromkeys(names, "-")})
    assert [[row[name] for name in names] for row in rows] == [["NA", "NA", None], ["-", None, "-"]]


@pytest.mark.parametrize("name", ["id", "version", "kind"])
@pytest.mark.parametrize("marker", ["", "D"])
def test_g7_a_null_marker_is_a_missing_value(name: str, marker: str) -> None:
    """Where a column must have one; a delete needs its key and version."""
    feed = _feed(
        {"name": "kind", "type": "STRING", "mode": "REQUIRED"},
        format={"type": "csv", "nulls": ["NULL"]},
        delete={"column": "op", "equals": "D"},
    )
    (row,) = _checked(feed, {**_ID, "kind": "k", name: "NULL", "op": marker})
    assert row["_reasons"] == ([] if marker and name == "kind" else [f"missing_value: {name}"])


@pytest.mark.parametrize("unknown", ["rescue", "add"])
def test_a_null_marker_holds_for_columns_that_the_contract_does_not_know(unknown: str) -> None:
    feed = _feed(format={"type": "csv", "nulls": ["NULL"]}, unknown_columns=unknown)
    (row,) = _checked(feed, {**_ID, "new": "NULL", "more": "x"})
    found = row["_rescued"] if unknown == "rescue" else {"new": row["new"], "more": row["more"]}
    assert found == ({"more": "x"} if unknown == "rescue" else {"new": None, "more": "x"})


def test_a_null_marker_is_no_default() -> None:
    """A default is the text of a value, of a file that has no such column."""
    feed = _feed({"name": "x", "type": "STRING", "default": "NA", "nulls": ["NA"]})
    assert [_checked(feed, row)[0]["x"] for row in (_ID, {**_ID, "x": "NA"})] == ["NA", None]


@pytest.mark.parametrize(
    ("others", "marker", "reasons"),
    [
        (["I", "U"], "I", []),
        (["I", "U"], "D", []),
        (["I", "U"], "d", ["unknown_delete_marker: op"]),
        (["I", "U"], "D ", ["unknown_delete_marker: op"]),
        (["I", "U"], "", ["unknown_delete_marker: op"]),
        (["I", ""], "", []),
        ([], "", ["unknown_delete_marker: op"]),
        (['it\'s \\ "I"'], 'it\'s \\ "I"', []),
        (None, "d", []),
        (None, "", []),
    ],
)
def test_g3_g7_a_marker_that_the_contract_does_not_know(
    others: list[str] | None, marker: str, reasons: list[str]
) -> None:
    """Where the contract names the other values, a further one is no update but a reason, also an empty one."""
    feed = _feed(delete={"column": "op", "equals": "D", "others": others})
    (row,) = _checked(feed, {**_ID, "op": marker})
    assert row["_reasons"] == reasons
    assert row["_deleted"] == (marker == "D")


def test_a_file_without_the_delete_column_has_no_unknown_marker() -> None:
    (row,) = _checked(_feed(delete={"column": "op", "equals": "D", "others": ["I"]}), _ID)
    assert (row["_reasons"], row["_deleted"]) == ([], False)


def test_a_column_has_its_name_from_the_contract() -> None:
    """Whatever the file calls it; so has a row that is set aside, and each reason."""
    feed = _feed(
        {"name": "size", "from": 'it\'s "new" \\ @ {x}\n', "type": "INT64", "check": "size > 0"},
        {"name": "other", "from": "size", "type": "STRING"},
        delete={"column": "op", "from": "__op", "equals": "D"},
    )
    names = list(feed.names_in_file)
    rows = _checked(
        feed,
        *(dict(zip(names, ("a", "1", size, "o", op), strict=True)) for size, op in (("5", ""), ("x", ""), ("x", "D"))),
    )
    assert [(row["size"], row["other"], row["_deleted"]) for row in rows] == [
        *((5, "o", False), (None, "o", False), (None, None, True))
    ]
    assert [row["_reasons"] for row in rows] == [[], ["not_an_integer: size"], []]
    assert json.loads(rows[1]["_row"]) == {**_ID, "size": "x", "other": "o", "op": None}


_NAMES = ("", 'it\'s "new" \\ @ {x}\n', "_x", "ünï")


def test_what_the_contract_does_not_know_is_rescued() -> None:
    """By its column's name in the file, without empty fields; NULL for a delete, and where there is none."""
    feed = _feed(unknown_columns="rescue", delete={"column": "op", "equals": "D"})
    values = dict(zip(_NAMES, ('q"\\\n', "1", "", "ö\t"), strict=True))
    nothing = dict.fromkeys(_NAMES, "")
    rows = _checked(feed, {**_ID, "op": "", **values}, {**_ID, "op": "D", **values}, {**_ID, "op": "", **nothing})
    assert [row["_reasons"] for row in rows] == [[]] * 3
    found = [row["_rescued"] for row in rows]
    assert found[0] == {name: text for name, text in values.items() if text}
    assert found[1:] == [None, None]
    (row,) = _checked(feed, _ID)
    assert row["_rescued"] is None


def test_g7_rescued_text_that_is_not_utf8_is_refused() -> None:
    """The refused row keeps what the contract does not know."""
    (row,) = _checked(_feed(unknown_columns="rescue"), {**_ID, "more": "a\ufffd"})
    assert row["_reasons"] == ["not_utf8: _rescued"]
    assert json.loads(row["_row"]) == {**_ID, "_rescued": {"more": "a\ufffd"}}


def test_g1_rows_that_differ_in_what_was_rescued_have_one_winner() -> None:
    """Whatever their order in the file, and that of its columns: something wins against nothing."""
    feed = _feed(unknown_columns="rescue")
    rows: list[Texts] = [{**_ID, "b": b, "c": c} for b, c in (("1", ""), ("1", "2"), ("", ""), ("", "9"))]
    order = ", ".join(f"{rank.of()} DESC NULLS LAST" for rank in ranking(feed))
    winners = set()
    for given in (rows, rows[::-1], [{"c": row["c"], **row} for row in rows]):
        warehouse = GoogleSql()
        stage(warehouse, feed, _LOAD, given)
        table = Tables.of("local", feed, _LOAD).staging
        ordered = warehouse.query(f"SELECT _rescued FROM `{table}` ORDER BY {order}")
        winners.add(json.dumps([row["_rescued"] for row in ordered], sort_keys=True))
    assert len(winners) == 1
    assert json.loads(winners.pop())[-1] is None


def test_what_the_contract_does_not_know_is_added() -> None:
    """As a STRING column by its name, an empty field NULL; checked like one of the contract's."""
    feed = _feed(unknown_columns="add", delete={"column": "op", "equals": "D"})
    rows = _checked(
        feed,
        {**_ID, "new": "x", "op": "", "order": "it's"},
        {**_ID, "new": "", "op": "", "order": "a\ufffd"},
        {**_ID, "new": "x", "op": "D", "order": "y"},
    )
    assert [(row["new"], row["order"]) for row in rows] == [("x", "it's"), (None, "a\ufffd"), (None, None)]
    assert [row["_reasons"] for row in rows] == [[], ["not_utf8: order"], []]
    assert json.loads(rows[1]["_row"]) == {**_ID, "new": None, "order": "a\ufffd", "op": None}


@pytest.mark.parametrize("unknown", ["rescue", "add"])
def test_g1_files_with_and_without_unknown_columns_make_one_table(unknown: str) -> None:
    """Merged alone and in groups, in any order; what is equal but for an unknown column has one winner."""
    feed = _feed(unknown_columns=unknown, delete={"column": "op", "equals": "D"})
    files: list[list[Texts]] = [
        [{"id": "a", "version": "1"}, {"id": "b", "version": "1"}],
        [{"id": id_, "version": "2", "new": new, "op": op} for id_, new, op in (("b", "1", ""), ("c", "2", "D"))],
        [{"new": new, "id": "d", "version": "1", "more": more} for new, more in (("", "3"), ("4", ""), ("", ""))],
        [{"id": "c", "version": "1"}, {"id": "b", "version": "3"}],
    ]
    loads = [Load("things", ObjectGeneration("landing", f"{n}.csv", 1751328000000000 + n)) for n in range(len(files))]
    tables = []
    for groups in ([[0, 1, 2, 3]], [[0], [1], [2], [3]], [[2], [3, 0], [1]]):
        warehouse = GoogleSql()
        for group in groups:
            for n in group:
                stage(warehouse, feed, loads[n], files[n])
            assert merge(warehouse, feed, loads[group[0]]) == "merged"
        found = warehouse.query("SELECT * FROM `local.main.things` ORDER BY id")
        tables.append([{name: row[name] for name in sorted(row)} for row in found])
    assert [row["id"] for row in tables[0]] == ["a", "b", "c", "d"]
    assert tables[1:] == tables[:1] * 2


def test_what_is_ignored_leaves_no_trace() -> None:
    (row,) = _checked(_feed(unknown_columns="ignore"), {**_ID, "new": "x\ufffd"})
    assert row["_reasons"] == []
    assert "x\ufffd" not in row.values()
