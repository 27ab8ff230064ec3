"""A rejected row finds the record that it was made of; a number is right, or there is none."""

import gzip
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from dropmerge.operations.rejected.pinned import PinnedFile
from dropmerge.operations.rejected.spool import spool
from services.ingest.formats import format_of
from services.ingest.inspect_head import HEAD_BYTES, inspect_head
from services.shared.contract.encodings import CODECS
from services.shared.contract.feed import Feed


def _file(data: bytes, **more: Any) -> PinnedFile:
    contract = {
        "feed": "things",
        "objects": "x/*",
        "format": {"type": "csv"},
        "table": "main.things",
        "key": ["id"],
        "version": "v",
        "columns": [
            {"name": "id", "type": "STRING"},
            {"name": "v", "type": "INT64"},
            {"name": "w", "from": "W w", "type": "NUMERIC"},
        ],
    }
    feed = Feed.model_validate({**contract, **more})
    plain = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return PinnedFile(lambda: io.BytesIO(data), feed, inspect_head(plain[:HEAD_BYTES], len(plain), feed))


def _places(file: PinnedFile, rows: Sequence[dict[str, Any]]) -> list[tuple[str | None, int | None, int | None]]:
    """Of each row its id or line, record and line."""
    texts = [json.dumps(row) for row in rows]
    with spool() as kept:
        kept.add(("L", file.digest_of_row(text), None, text, "[]") for text in texts)
        records = ((file.digest_of_record(one), one.number, one.line) for one in file.records())
        found = [(json.loads(text), *place) for text, _, *place in kept.find("L", records, lambda _: None)]
    return [(row.get("_line") or row["id"], record, line) for row, record, line in found]


def _row(id: str | None, v: str | None = "1", w: str | None = None, **more: object) -> dict[str, object]:
    return {"id": id, "v": v, "w": w, **more}


@pytest.mark.parametrize("encoding", sorted(CODECS))
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("packed", [False, True])
def test_records_are_found_in_any_encoding(encoding: str, delimiter: str, packed: bool) -> None:
    text = 'id,v,W w\r\n"a\r\n""b",1,\r\n\r\nc,1,ä\r\n"d,",1,\r\n'.replace(",", delimiter)
    data = text.encode(CODECS[encoding])
    file = _file(
        gzip.compress(data) if packed else data, format={"type": "csv", "encoding": encoding, "delimiter": delimiter}
    )
    comma = "d" + delimiter
    rows = [_row(comma), _row("c", w="ä"), _row('a\r\n"b')]
    assert _places(file, rows) == [('a\r\n"b', 1, 2), ("c", 2, 5), (comma, 3, 6)]


def test_characters_of_windows_1252_are_found() -> None:
    file = _file(b"id,v,W w\n\x80\x81,1,\n", format={"type": "csv", "encoding": "windows-1252"})
    assert _places(file, [_row("€\x81")]) == [("€\x81", 1, 2)]


def test_equal_rows_have_a_number_each() -> None:
    file = _file(b"id,v,W w\na,1,x\nb,1,1\na,1,x\n")
    assert _places(file, [_row("a", w="x"), _row("a", w="x")]) == [("a", 1, 2), ("a", 3, 4)]


def test_g7_where_it_is_not_certain_which_record_it_was_there_is_no_number() -> None:
    """Rows were taken off the list, or the record is another one by now's contract."""
    file = _file(b"id,v,W w\na,1,x\na,1,x\nb,1,x\n")
    assert _places(file, [_row("b", w="x"), _row("a", w="x"), _row("c")]) == [
        ("b", 3, 4),
        ("a", None, None),
        ("c", None, None),
    ]


def test_absent_columns_defaults_and_null_markers_do_not_hide_a_record() -> None:
    columns = [
        {"name": "id", "type": "STRING"},
        {"name": "v", "type": "INT64", "null_markers": ["-"]},
        {"name": "w", "type": "NUMERIC", "default": "5"},
    ]
    delete = {"column": "op", "equals": "D"}
    file = _file(
        b"v,id,op\n-,a,NA\n1,NA,D\n",
        format={"type": "csv", "null_markers": ["NA"]},
        columns=columns,
        delete=delete,
    )
    rows = [_row("a", None, "5", op="NA"), _row(None, "1", "5", op="D")]
    assert _places(file, rows) == [("a", 1, 2), (None, 2, 3)]


def test_rescued_and_ignored_columns() -> None:
    data = b"id,more,v\na,1,x\na,2,x\n"
    rescued = _file(data, unknown_columns="rescue")
    assert _places(rescued, [_row("a", "x", _rescued={"more": "2"})]) == [("a", 2, 3)]
    ignored = _file(data, unknown_columns="ignore")
    assert _places(ignored, [_row("a", "x"), _row("a", "x")]) == [("a", 1, 2), ("a", 2, 3)]


def test_bytes_that_are_no_text_are_found() -> None:
    """However many characters stand for them in the warehouse."""
    assert _places(_file(b"id,v,W w\n" + b"b,1,\n" * 60_000 + b"a\xe4\xfc,1,\n"), [_row("a\ufffd")]) == [
        ("a\ufffd", 60_001, 60_002)
    ]


def test_lines_of_ndjson() -> None:
    lines = '\ufeff{"id":"a","v":1}\r\n\n \n{"id": "b"\n{"id":"a","v":1}\n'
    file = _file(lines.encode(), format={"type": "ndjson"})
    first = '{"id":"a","v":1}'
    rows = [_row(None, None, _line='{"id": "b"'), *(2 * [_row("a", _line=first)])]
    assert _places(file, rows) == [(first, 1, 1), ('{"id": "b"', 2, 4), (first, 3, 5)]


def test_what_was_written_is_read_back() -> None:
    """`records` is the inverse of `write`, for whatever a field may hold."""
    file = _file(b"id,v,W w\n")
    nasty = ["", "a", 'q"q', "a,b", "line\nend", "cr\rlf\r\n", " x ", "\ufeff", "=1+1", "ä€😀"]
    written = io.BytesIO()
    written.close = lambda: None  # type: ignore[method-assign]  # to be read afterwards
    records = [{"id": text or None, "v": "1", "W w": text or None} for text in nasty]
    format_of(file.feed).write(written, ["id", "v", "W w"], records, file.feed)
    back = format_of(file.feed).records(io.BytesIO(written.getvalue()), ["id", "v", "w"], file.feed, "utf-8")
    assert [(one.number, one.fields["id"], one.fields["w"]) for one in back] == [
        (number, text, text) for number, text in enumerate(nasty, 1)
    ]


def test_what_is_no_record_has_no_number() -> None:
    """A quoted nothing alone on a line, and with skip_empty all that has no text: the warehouse has no row of them."""
    data = b'id,v,W w\n""\na,1,x\n,,\n\nb,1,x\n'
    assert _places(_file(data), [_row("b", w="x")]) == [("b", 3, 6)]
    skips = _file(data, format={"type": "csv", "blank_lines": "skip_empty"})
    assert _places(skips, [_row("b", w="x")]) == [("b", 2, 6)]
    lines = _file(
        b'id,v,W w\n"","",""\n,,\nb,1,x\n', format={"type": "csv", "blank_lines": "skip_empty", "escape": "\\"}
    )
    assert _places(lines, [_row("b", w="x")]) == [("b", 2, 4)]
