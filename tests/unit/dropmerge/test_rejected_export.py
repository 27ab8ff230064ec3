"""Rejected rows written as a file of their feed, which is dropped as it is once they are fixed."""

import json
from pathlib import Path
from typing import Any

import pytest

from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.rejected.export import _whole, write_rows
from dropmerge.operations.rejected.row import Fault, RejectedRow
from dropmerge.operations.rejected.selection import RejectedLoad
from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

_LOAD = Load("things", ObjectGeneration("landing", "x/a.csv", 1))


def _feed(**more: Any) -> Feed:
    contract = {
        "feed": "things",
        "objects": "x/*",
        "format": {"type": "csv"},
        "table": "main.things",
        "key": ["id"],
        "version": "v",
        "delete": {"column": "op", "from": "__op", "equals": "D", "others": ["U"]},
        "columns": [{"name": "id", "type": "STRING"}, {"name": "v", "from": "the v", "type": "INT64"}],
    }
    return Feed.model_validate({**contract, **more})


def _row(record: int | None = None, **row: object) -> RejectedRow:
    return RejectedRow(_LOAD, json.dumps(row), ["not_an_integer: v"], record, record and record + 1)


def _written(feed: Feed, path: Path, *rows: RejectedRow) -> list[tuple[Any, ...]]:
    marked = list(write_rows(feed, rows, path))
    return [(one["record"], one["line"], one["source_record"], one["source_line"]) for one in marked]


def test_a_file_has_the_feeds_header_and_both_places(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    places = _written(_feed(), path, _row(7, id="a\nb", v="x", op="U"), _row(None, id="c", v="y", op=""))
    assert path.read_text() == 'id,the v,__op\n"a\nb",x,U\nc,y,\n'
    assert places == [(1, 2, 7, 8), (2, 4, None, None)]


def test_a_file_gains_no_delete_column(tmp_path: Path) -> None:
    """An empty one would be a value, which a contract that lists the others refuses."""
    _written(_feed(), tmp_path / "bad.csv", _row(1, id="a", v="x", op=None))
    assert (tmp_path / "bad.csv").read_text() == "id,the v\na,x\n"


def test_columns_that_the_contract_does_not_know_stay_where_it_takes_them(tmp_path: Path) -> None:
    rows = (_row(1, id="a", v="x", op="U"), _row(2, id="b", v="x", op="U", _rescued={"more": "m"}))
    _written(_feed(unknown_columns="rescue"), tmp_path / "bad.csv", *rows)
    assert (tmp_path / "bad.csv").read_text() == "id,the v,__op,more\na,x,U,\nb,x,U,m\n"


def test_what_was_rescued_of_a_line_is_json_in_another_format(tmp_path: Path) -> None:
    row = _row(1, id="b", v="x", op="U", _rescued={"more": {"a": [1, "é"]}, "text": "t", "none": None})
    _written(_feed(unknown_columns="rescue"), tmp_path / "bad.csv", row)
    assert (tmp_path / "bad.csv").read_text() == 'id,the v,__op,more,text\nb,x,U,"{""a"": [1, ""é""]}",t\n'


def test_lines_are_written_as_they_were(tmp_path: Path) -> None:
    lines = ('{"id": "a", "the v": 1.0}', "{broken", '{"id":"\\ud83d\\ude00"}')
    rows = [_row(number, id=None, v=None, op=None, _line=line) for number, line in enumerate(lines, 5)]
    places = _written(_feed(format={"type": "ndjson"}), tmp_path / "bad.ndjson", *rows)
    assert (tmp_path / "bad.ndjson").read_text() == "".join(f"{line}\n" for line in lines)
    assert places == [(1, 1, 5, 6), (2, 2, 6, 7), (3, 3, 7, 8)]


def test_each_reason_has_its_value() -> None:
    """Of a record as a whole it is the line."""
    row = RejectedRow(_LOAD, '{"v": "x", "_line": "{"}', ["not_an_integer: v", "not_json"])
    assert row.faults == [Fault("not_an_integer", "v", "x"), Fault("not_json", None, "{")]


def test_json_keeps_the_keys_that_scripts_read() -> None:
    found = _row(3, id="a", v="x", op=None).as_json()
    before = {"feed": "things", "bucket": "landing", "object": "x/a.csv", "generation": 1}
    assert found == {
        **before,
        "row": {"id": "a", "v": "x", "op": None},
        "reasons": ["not_an_integer: v"],
        "load_id": _LOAD.load_id,
        "record": 3,
        "line": 4,
        "faults": [{"reason": "not_an_integer", "column": "v", "value": "x"}],
    }


def test_bytes_of_windows_1252_are_written_as_they_were(tmp_path: Path) -> None:
    """Also the five that it has no character for: escaped, they would be another text, which is merged."""
    feed = _feed(format={"type": "csv", "encoding": "windows-1252"})
    _written(feed, tmp_path / "bad.csv", _row(1, id="€\x81", v="x", op="U"))
    assert (tmp_path / "bad.csv").read_bytes() == b"id,the v,__op\n\x80\x81,x,U\n"


def test_a_text_that_todays_format_has_no_room_for_is_an_error(tmp_path: Path) -> None:
    """A line end would make two records of one."""
    for form, row in (
        ({"quote": "none"}, _row(1, id="a\nb", v="x", op="U")),
        ({"encoding": "iso-8859-1"}, _row(1, id="€", v="x", op="U")),
    ):
        with pytest.raises(NotDone, match="today's contract cannot read"):
            _written(_feed(format={"type": "csv", **form}), tmp_path / "bad.csv", row)


def test_a_record_is_never_lost_as_a_blank_one(tmp_path: Path) -> None:
    """Where its only texts were in columns that the contract does not know, its number would be the next one's."""
    feed = _feed(format={"type": "csv", "blank_lines": "skip_empty"})
    places = _written(feed, tmp_path / "bad.csv", _row(1, id=None, v=None, op="U"), _row(2, id="", v=None, op=""))
    assert (tmp_path / "bad.csv").read_text() == "id,the v,__op\n,,U\n,,,?\n"
    assert places == [(1, 2, 1, 2), (2, 3, 2, 3)]


def test_a_row_of_another_format_is_written_as_an_object(tmp_path: Path) -> None:
    _written(_feed(format={"type": "ndjson"}), tmp_path / "bad.ndjson", _row(1, id="ä", v="x", op=None))
    assert (tmp_path / "bad.ndjson").read_text() == '{"id": "ä", "the v": "x"}\n'


def test_g7_a_snapshot_is_written_whole_though_it_is_merged() -> None:
    """One of bad rows alone would be the newest, and delete all other keys."""
    nobody: Any = None  # is asked how a merged load ended
    one, snapshot = RejectedLoad(_LOAD, 1), _feed(mode="snapshot", version=None, delete=None)
    assert _whole(nobody, snapshot, [one], {_LOAD.load_id}) == _LOAD
    assert _whole(nobody, _feed(), [one], {_LOAD.load_id}) is None
    with pytest.raises(UsageError, match="one file at a time"):
        _whole(nobody, snapshot, [one, one], {_LOAD.load_id})
