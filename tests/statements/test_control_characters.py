"""G1, G7: a control character makes no key of two, and costs no more than its row, in a file of any format."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.ingest.check_rows import check_rows
from services.ingest.formats import format_of
from services.ingest.inspect_file import inspect_file
from services.ingest.load_raw import load_raw
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.warehouse import Warehouse
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import check, load_records, merge, stage
from tests.harness.warehouse import local_warehouse

_KEPT = "\t\x7f"
"""As they are: no load job drops them."""
_NAMES, _TYPES = ("id", "note", "n"), ("STRING", "STRING", "INT64")
_CONTROLS = [chr(code) for code in range(32) if chr(code) not in "\t\r\n"]
Found = dict[tuple[str | None, str | None], list[str]]


def _feed(**form: Any) -> Feed:
    return Feed.model_validate(
        {
            **{"feed": "controls", "objects": "x/*", "table": "main.controls"},
            **{"format": {"type": "csv", **form}, "key": ["id"], "version": "_generation"},
            "columns": [{"name": name, "type": kind} for name, kind in zip(_NAMES, _TYPES, strict=True)],
            "bad_rows": {"at_most": "100%"},
        }
    )


def _rows() -> list[tuple[str, str, str]]:
    """Each character in a key, in another text, and in a number."""
    keys = [(f"k{one}", "x", "1") for one in (*_CONTROLS, *_KEPT)]
    notes = [(f"n{ord(one)}", f"a{one}b", "1") for one in (*_CONTROLS, *_KEPT)]
    return [("k", "x", "1"), *keys, *notes, ("number", "x", "1\x01")]


def _expected() -> Found:
    found: Found = {("number", "x"): ["not_an_integer: n"]}
    found |= {(f"k{one}", "x"): ["not_text: id"] for one in _CONTROLS}
    found |= {(f"k{one}", "x"): [] for one in ("", *_KEPT)}
    return found | {(f"n{ord(one)}", f"a{one}b"): [] for one in (*_CONTROLS, *_KEPT)}


def _found(rows: Sequence[Any]) -> Found:
    return {(row["id"], row["note"]): list(row["_reasons"]) for row in rows}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Path]]:
    """A warehouse, and where its buckets are."""
    folder = tmp_path_factory.mktemp("warehouse")
    with local_warehouse(folder) as client:
        for dataset in ("staging", "main", "ops"):
            client.create_dataset(dataset)
        (folder / "bucket" / "b").mkdir(parents=True)
        yield Warehouse(client, 120.0), folder / "bucket" / "b"


def _on_local(local: tuple[Warehouse, Path], feed: Feed, name: str) -> list[Any]:
    warehouse, bucket = local
    data, load = (bucket / name).read_bytes(), Load(feed.name, ObjectGeneration("landing", name, 1751328000000000))
    tables = Tables.of("local", feed, load)
    layout = inspect_file(len(data), feed, lambda begin, end: data[begin:end])
    layout = load_raw(warehouse, f"gs://b/{name}", tables.raw, load.load_id, layout, feed)
    check_rows(warehouse, feed, load, tables, layout, load.source.created, None)
    return list(warehouse.query(f"SELECT * FROM `{tables.checked}`"))


def test_g1_g7_google_refuses_a_control_character_in_a_key() -> None:
    """And keeps it in another column."""
    load = Load("controls", ObjectGeneration("landing", "c.csv", 1751328000000000))
    rows = [dict(zip(_NAMES, row, strict=True)) for row in _rows()]
    assert _found(check(GoogleSql(), _feed(), load, rows)) == _expected()


@pytest.mark.parametrize(
    "form",
    [
        {"type": "csv"},
        {"type": "csv", "quoted_newlines": False, "encoding": "utf-16"},
        {"type": "csv", "quote": "none", "header": False, "encoding": "iso-8859-1"},
        {"type": "parquet"},
        {"type": "avro"},
        {"type": "orc"},
    ],
    ids=str,
)
def test_g1_g7_a_control_character_costs_a_row_whatever_the_format(
    local: tuple[Warehouse, Path], form: dict[str, Any]
) -> None:
    """A NUL in the first lines, too, is the fault of its row and not of the file."""
    feed, name = _feed(**form), f"{'-'.join(map(str, form.values()))}.{form['type']}"
    records = [dict(zip(_NAMES, row, strict=True)) for row in _rows()]
    with (local[1] / name).open("wb") as file:
        if form.get("encoding") == "utf-16":
            file.write(b"\xff\xfe")
            text = "id,note,n\n" + "".join(f'"{one["id"]}","{one["note"]}",{one["n"]}\n' for one in records)
            file.write(text.encode("utf-16-le"))
        else:
            format_of(feed).write(file, _NAMES, records, feed)
    assert _found(_on_local(local, feed, name)) == _expected()


@pytest.mark.parametrize(("delimiter", "separator"), [(",", "\x0e"), ("\x01", "\x0e"), ("\x0e", "\x0f")], ids=repr)
def test_g7_a_line_with_escapes_keeps_control_characters_but_the_one_it_is_loaded_by(
    local: tuple[Warehouse, Path], delimiter: str, separator: str
) -> None:
    """Google's engine says the same of what a load job leaves of the line; 0x01 is Hive's own delimiter."""
    feed, name = _feed(escape="\\", delimiter=delimiter), f"lines-{ord(delimiter)}.csv"
    records = [row for row in _rows() if delimiter not in "".join(row)]
    lines = [delimiter.join(row) for row in records]
    data = "\n".join([delimiter.join(_NAMES), *lines]).encode()
    (local[1] / name).write_bytes(data)
    google, load = GoogleSql(), Load(feed.name, ObjectGeneration("landing", name, 1751328000000000))
    tables, layout = Tables.of("local", feed, load), inspect_file(len(data), feed, lambda begin, end: data[begin:end])
    load_records(google, feed, layout, tables.raw, [line.split(separator) for line in lines])
    check_rows(google, feed, load, tables, layout, load.source.created, None)
    found, theirs = _on_local(local, feed, name), google.query(f"SELECT * FROM `{tables.checked}`")
    kept = [sorted((str(_found([row])), _line(row)) for row in rows) for rows in (found, theirs)]
    assert kept[0] == kept[1]
    cut = [line for line in lines if separator in line]
    assert sorted(_line(row) for row in theirs if row["_reasons"] == ["not_text"]) == sorted(cut) != []
    there = {(row[0], row[1]) for row in records if separator not in "".join(row)}
    expected = {key: reasons for key, reasons in _expected().items() if key in there}
    assert _found([row for row in found if row["_reasons"] != ["not_text"]]) == expected


def _line(row: Any) -> str:
    return str((json.loads(row["_row"] or "{}")).get("_line"))


@pytest.mark.parametrize("control", ["\x00", "\x01", "\x0b", "\x1f"], ids=repr)
def test_g1_two_keys_that_differ_by_a_control_character_are_not_one(control: str) -> None:
    """In whichever order their files come: the row of the one that is a text is never overwritten."""
    files = [[{"id": "k", "note": "text", "n": "1"}], [{"id": f"k{control}", "note": "no text", "n": "2"}]]
    for order in itertools.permutations(range(2)):
        warehouse = GoogleSql()
        for number in order:
            load = Load("controls", ObjectGeneration("landing", f"{number}.csv", 1751328000000000 + number))
            stage(warehouse, _feed(), load, files[number])
            assert merge(warehouse, _feed(), load) == "merged"
        rows = warehouse.query("SELECT id, note, n FROM `local.main.controls`")
        assert [dict(row) for row in rows] == [{"id": "k", "note": "text", "n": 1}]
