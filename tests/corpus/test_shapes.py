"""G7: CSV files of each shape that a contract can name: an independent reader, Google's own engine and the local
warehouse find the same records in each, and the same reasons where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from dropmerge.operations.rejected.pinned import PinnedFile
from dropmerge.operations.rejected.spool import spool
from services.ingest.check_rows import check_rows
from services.ingest.formats import format_of
from services.ingest.inspect_head import inspect_head
from services.ingest.load_raw import load_raw
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.warehouse import Warehouse
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import load_records
from tests.harness.warehouse import local_warehouse

pytestmark = pytest.mark.slow

_NAMES = ("id", "a", "b")
_QUOTED = 'p1,"x, y",z\np2,"say ""hi""",\np3,,""\n,,\np5,"two\nlines",x\n'
_RAGGED = 's1\ns2,x\ns3,x,\ns4,x,y\ns5,x,y,\ns6,x,y,z\ns7,,,,,,,\ns8,\n\n\r\ns9,x,y\r\n,\n""\n'
_PLAIN = 'q1,"open,x\nq2,5" pipe,y\nq3,"shut",z"\nq4,",\'\nq5\n\nq6,a,b,c\nq7,,\r\n'
_ESCAPED = (
    "e1,a\\,b,c\ne2,\"a\\\"b\",\"c,d\"\ne3,\\\\,\\\"q\ne4,C:\\new,\\N\ne5,\"x\"\"y\",\"\\\\\"\ne6,\"open,x\ne7,x,y\\\n"
    "e8,\"shut\"x,y\ne9\n\ne10,x,y,z\ne11,,\r\ne12,\"\",\" \"\ne13,5\" pipe,\\n\ne14,\\\\\\,,\"\\,\"\n"
)  # fmt: skip


def _tailed(text: str) -> str:
    """With a delimiter at the end of each line but one, and two with a field after it."""
    return "".join(f"{line},\n" for line in text.splitlines()) + "t1,x,y\nt2,x,y,z\nt3,x,y,,\nt4,x\nt5,x,\n\n"


_SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "quoted": ({}, _QUOTED),
    "quoted, on one line": ({"quoted_newlines": False}, _QUOTED.replace("two\n", "two ")),
    "ragged": ({}, _RAGGED),
    "ragged, filled": ({"short_lines": "fill"}, _RAGGED),
    "ragged, blank lines refused": ({"blank_lines": "reject"}, _RAGGED),
    "skipped": ({"skip": 3}, _QUOTED),
    "no header": ({"header": False}, _QUOTED + _RAGGED),
    "no header, skipped": ({"header": False, "skip": 2}, _RAGGED + _QUOTED),
    "trailing": ({"trailing_delimiter": True}, _tailed("a1,x,y\na2,,\na3,\"x,y\",z")),
    "trailing, filled": ({"trailing_delimiter": True, "short_lines": "fill"}, _tailed("a1,x,y\na2,,")),
    "no quoting": ({"quote": "none"}, _PLAIN),
    "no quoting, no header": ({"quote": "none", "header": False, "blank_lines": "reject"}, _PLAIN),
    "no quoting, trailing": ({"quote": "none", "trailing_delimiter": True}, _tailed('a1,"x,y"\na2,,')),
    "escaped": ({"escape": "\\"}, _ESCAPED),
    "escaped, filled": ({"escape": "\\", "short_lines": "fill", "blank_lines": "reject"}, _ESCAPED),
    "escaped, skipped": ({"escape": "\\", "skip": 2}, _ESCAPED),
    "escaped, trailing, no header": ({"escape": "\\", "trailing_delimiter": True, "header": False}, _tailed("a1,x\\,y,z\na2,,\na3,x,y\\")),
    "escaped, no quoting": ({"escape": "\\", "quote": "none"}, _ESCAPED),
    "tabs": ({"delimiter": "\t", "quote": "none", "header": False}, 'm0\nm1\tx y\t"\nm2\t\t\nm3\tx\n'),
    "bars": ({"delimiter": "|", "escape": "\\", "quote": "none"}, "m1|a\\|b|\\\\\nm2|^$.*|[]\nm3|x\n"),
    "carets": ({"delimiter": "^", "escape": "\\"}, 'm1^a\\^b^"^"\nm2^-]^\\]\n'),
    "letters": ({"delimiter": "n"}, 'm1nxny\nm2nulln\nm3n"n"n\n'),
    "nothing": ({"header": False}, ""),
    "a header alone": ({}, ""),
    "blank lines alone": ({}, "\n\r\n\n"),
}  # fmt: skip
_ENCODINGS = ("utf-8", "utf-16", "windows-1252")


def _feed(names: Sequence[str] = _NAMES, **form: Any) -> Feed:
    return Feed.model_validate(
        {
            **{"feed": "shapes", "objects": "x/*", "table": "main.shapes", "key": ["id"], "version": "_generation"},
            "format": {"type": "csv", **form},
            "columns": [{"name": name, "type": "STRING"} for name in names],
            "bad_rows": {"at_most": "100%"},
        }
    )


def _file(form: dict[str, Any], body: str, names: Sequence[str] = _NAMES) -> str:
    delimiter, end = form.get("delimiter", ","), form.get("trailing_delimiter", False)
    header = delimiter.join(names) + (delimiter if end else "") + "\n" if form.get("header", True) else ""
    return "".join(f"a line {n}, not a record\n" for n in range(form.get("skip", 0))) + header + body


def _records(text: str, form: dict[str, Any]) -> Iterator[list[str] | str]:
    """Character by character, by the words of the README; a line that cannot be split is itself."""
    delimiter, escape = form.get("delimiter", ","), form.get("escape")
    quote = None if form.get("quote") == "none" else '"'
    fields: list[str] = []
    field, state, at, begin = "", "start", 0, 0
    while at < len(text):
        one, two = text[at], text[at : at + 2]
        is_end = one == "\n" or two == "\r\n"
        if state != "quoted" and is_end:
            yield [*fields, field]
            fields, field, state = [], "", "start"
            at = begin = at + (2 if one == "\r" else 1)
        elif escape and (is_end or (one == escape and two[1:] in ("", "\n", "\r"))):
            # A quote that is open at the end of its line, or a backslash that is the line's last character.
            end = text.index("\n", at)
            yield text[begin:end].removesuffix("\r")
            fields, field, state = [], "", "start"
            at = begin = end + 1
        elif one == escape:
            field += two[1] if two[1] in (escape, delimiter, quote) else two
            state, at = ("quoted" if state == "quoted" else "bare"), at + 2
        elif state == "quoted" and one == quote:
            field, state, at = (field + one, state, at + 2) if two[1:] == quote else (field, "shut", at + 1)
        elif state == "quoted":
            field, at = field + one, at + 1
        elif one == delimiter:
            fields, field, state, at = [*fields, field], "", "start", at + 1
        elif state == "shut":
            end = text.index("\n", at)
            yield text[begin:end]
            fields, field, state, at = [], "", "start", end + 1
            begin = at
        elif one == quote and state == "start":
            state, at = "quoted", at + 1
        else:
            field, state, at = field + one, "bare", at + 1


def _expected(text: str, form: dict[str, Any], width: int = len(_NAMES)) -> list[tuple[Any, ...]]:
    """Of each record its texts, None where there is none, or the reason why it has none."""
    end = form.get("trailing_delimiter", False)
    found: list[tuple[Any, ...]] = []
    for record in _records(text, form):
        if record == [""] or (width == 1 and isinstance(record, list) and record[0] == "" and len(record) == 1):
            if form.get("blank_lines") == "reject":
                found.append(("blank_line",))
            continue
        if isinstance(record, str):
            found.append(("misquoted",))
        elif len(record) > width + end or (end and len(record) == width + 1 and record[-1]):
            found.append(("too_many_fields",))
        elif len(record) < width + end and form.get("short_lines") != "fill":
            found.append(("too_few_fields",))
        else:
            texts = [field or None for field in [*record, *[""] * width][:width]]
            found.append(tuple(texts) if texts[0] else ("missing_value: id",))
    return found


def _found(rows: Sequence[Any], names: Sequence[str] = _NAMES) -> list[tuple[Any, ...]]:
    return [tuple(row["_reasons"]) if row["_reasons"] else tuple(row[name] for name in names) for row in rows]


def _on_google(feed: Feed, text: str, body: str, form: dict[str, Any]) -> list[Any]:
    """The records of the independent reader take the place of the load job."""
    load = Load("shapes", ObjectGeneration("landing", "t.csv", 1751328000000000))
    warehouse, tables, data = GoogleSql(), Tables.of("local", feed, load), text.encode()
    layout = inspect_head(data or b"\n", len(data) or 1, feed)
    if form.get("escape"):
        records = [[line.removesuffix("\r")] for line in body.split("\n")[:-1]]
    else:
        records = [one if isinstance(one, list) else [one] for one in _records(body, form)]
    load_records(warehouse, feed, layout, tables.raw, records)
    check_rows(warehouse, feed, load, tables, layout, load.source.created, None)
    return warehouse.query(f"SELECT * FROM `{tables.checked}`")


@cache
def _of_shape(name: str) -> list[Any]:
    form, body = _SHAPES[name]
    return _on_google(_feed(**form), _file(form, body), body, form)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Path]]:
    """A warehouse, and where its buckets are."""
    folder = tmp_path_factory.mktemp("warehouse")
    with local_warehouse(folder) as client:
        for dataset in ("staging", "main", "ops"):
            client.create_dataset(dataset)
        (folder / "bucket" / "b").mkdir(parents=True)
        yield Warehouse(client, 120.0), folder


def _on_local(local: tuple[Warehouse, Path], feed: Feed, data: bytes) -> list[Any]:
    warehouse, folder = local
    files = folder / "bucket" / "b"
    name = f"{len(list(files.iterdir()))}.csv"
    load = Load("shapes", ObjectGeneration("landing", name, 1751328000000000))
    tables = Tables.of("local", feed, load)
    (files / name).write_bytes(data)
    layout = inspect_head(data, len(data), feed)
    load_raw(warehouse, f"gs://b/{name}", tables.raw, load.load_id, layout, feed)
    check_rows(warehouse, feed, load, tables, layout, load.source.created, None)
    return list(warehouse.query(f"SELECT * FROM `{tables.checked}`"))


def _sorted(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    return sorted(map(str, rows))


@pytest.mark.parametrize("name", _SHAPES)
def test_g7_google_finds_the_records_of_a_shape(name: str) -> None:
    form, body = _SHAPES[name]
    found = _of_shape(name)
    assert _sorted(_found(found)) == _sorted(_expected(body, form))


def test_g7_the_local_warehouse_finds_the_records_of_a_shape(local: tuple[Warehouse, Path]) -> None:
    """Of each encoding a third of the shapes."""
    for number, (name, (form, body)) in enumerate(_SHAPES.items()):
        encoding = _ENCODINGS[number % len(_ENCODINGS)]
        data = _file(form, body).encode(encoding)
        if data:
            feed = _feed(**form, encoding=encoding)
            found = _on_local(local, feed, data)
            assert _sorted(_found(found)) == _sorted(_expected(body, form)), name
            assert _rows(found) == _rows(_on_google(_feed(**form), _file(form, body), body, form)), name


def _rows(found: Sequence[Any]) -> list[str]:
    """What is kept of the refused rows."""
    return sorted(json.dumps(json.loads(row["_row"]), sort_keys=True) for row in found if row["_row"])


@pytest.mark.parametrize("form", [{}, {"quote": "none"}, {"escape": "\\"}], ids=str)
def test_g7_a_file_of_one_column(local: tuple[Warehouse, Path], form: dict[str, Any]) -> None:
    """A line with nothing on it, and a field with nothing in it, are one: both are blank."""
    body = 'o1\n\no2,x\n""\no3\r\n' if not form else "o1\n\no2,x\no3\r\n"
    expected = [("o1",), ("o3",), ("too_many_fields",)]
    feed = _feed(["id"], **form)
    assert _sorted(_found(_on_google(feed, "id\n" + body, body, form), ["id"])) == _sorted(expected)
    assert _sorted(_found(_on_local(local, feed, b"id\n" + body.encode()), ["id"])) == _sorted(expected)


def test_g7_odd_records_among_many(local: tuple[Warehouse, Path]) -> None:
    """Past the first megabytes, and the record by which the others are judged is odd itself."""
    good = "".join(f"k{n},{'x' * 3_000},y\n" for n in range(1_000))
    body = f"odd\n{good}m1,x\n{good.replace('k', 'l')}m2,x,y,z\n"
    found = [row["_reasons"] for row in _on_local(local, _feed(), ("id,a,b\n" + body).encode()) if row["_reasons"]]
    assert sorted(found) == [["too_few_fields"], ["too_few_fields"], ["too_many_fields"]]


@pytest.mark.parametrize("name", _SHAPES)
def test_g7_what_rejected_rows_are_written_to_is_read_again(name: str, tmp_path: Path) -> None:
    """The same rows, each refused for the same reason as long as nobody has fixed it."""
    form, _ = _SHAPES[name]
    feed, path = _feed(**form), tmp_path / "fixed.csv"
    first = [row for row in _of_shape(name) if row["_row"]]
    with path.open("wb") as file:
        # Before them one that is right, by which the width of a file without a header is known.
        format_of(feed).write(file, _NAMES, [{"id": "good"}, *(json.loads(row["_row"]) for row in first)], feed)
    text = path.read_bytes().decode()
    again = "\n".join(text.split("\n")[form.get("skip", 0) + form.get("header", True) :])
    found = _on_google(feed, text, again, form)
    assert _sorted(_found(found)) == _sorted([("good", None, None), *_found(first)])
    assert _rows(found) == _rows(first)


@pytest.mark.parametrize("name", _SHAPES)
def test_g7_each_refused_record_of_a_shape_has_its_number(name: str) -> None:
    """Broken ones too, in any encoding."""
    form, body = _SHAPES[name]
    text = _file(form, body)
    rows = [row for row in _of_shape(name) if row["_row"]]
    numbers = {n: one for n, one in enumerate(_expected(body, form), 1) if len(one) == 1}
    for encoding in _ENCODINGS:
        data, feed = text.encode(encoding), _feed(**form, encoding=encoding)
        if data:
            found = _numbers(PinnedFile(partial(BytesIO, data), feed, inspect_head(data, len(data), feed)), rows)
            assert found == numbers, encoding


def _numbers(file: PinnedFile, rows: Sequence[Any]) -> dict[int | None, tuple[str, ...]]:
    """Reasons by the number of the record."""
    with spool() as kept:
        kept.add(
            ("L", file.digest_of_row(row["_row"]), None, row["_row"], json.dumps(row["_reasons"])) for row in rows
        )
        places = ((file.digest_of_record(one), one.number, one.line) for one in file.records())
        found = list(kept.find("L", places, lambda _: None))
    assert len({number for _, _, number, _ in found}) == len(rows)
    return {number: tuple(json.loads(reasons)) for _, reasons, number, _ in found}


_WITH_HEADER = [name for name, (form, _) in _SHAPES.items() if form.get("header", True)]
_OTHERS = ((["more", "b", "id", "a"], _WITH_HEADER[::2]), (["b", "id"], _WITH_HEADER[1::2]))


@pytest.mark.parametrize(
    ("name", "ahead"),
    [(name, ahead) for ahead, names in _OTHERS for name in names],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_g7_a_broken_record_of_a_file_with_other_columns_stays_broken(
    name: str, ahead: list[str], tmp_path: Path
) -> None:
    """In a file of the contract's own columns, whose number would fit by chance; none is lost, and no text of one."""
    form, body = _SHAPES[name]
    feed, path = _feed(**form).model_copy(update={"unknown_columns": "ignore"}), tmp_path / "fixed.csv"
    first = [row for row in _on_google(feed, _file(form, body, ahead), body, form) if row["_row"]]
    with path.open("wb") as file:
        format_of(feed).write(file, _NAMES, [json.loads(row["_row"]) for row in first], feed)
    text = path.read_bytes().decode()
    found = _on_google(feed, text, "\n".join(text.split("\n")[form.get("skip", 0) + 1 :]), form)
    assert [row for row in found if not row["_row"]] == []
    assert len(found) == len(first)
    assert _texts(found) == _texts(first)


def _texts(rows: Sequence[Any]) -> list[str]:
    """What refused rows have of the contract's columns; of lines, what only keeps them broken is beside it."""
    kept = (json.loads(row["_row"]) for row in rows)
    return sorted(str([one[name] for name in _NAMES]) for one in kept if "_line" not in one)
