"""What the beginning of a CSV file says of its shape, and what a person is told where it is not the contract's."""

from __future__ import annotations

from typing import Any

import pytest

from services.ingest.final_newline import check_final_newline
from services.ingest.formats.csv_escape import escaped, split
from services.ingest.inspect_head import inspect_head
from services.shared.contract.feed import Feed
from services.shared.contract.formats import Csv
from services.shared.errors import PermanentError

_COLUMNS: list[dict[str, Any]] = [{"name": name, "type": "STRING"} for name in ("id", "a", "b")]


def _feed(form: dict[str, Any], columns: list[dict[str, Any]] = _COLUMNS, **more: Any) -> Feed:
    fixed = {"feed": "things", "objects": "x/*", "table": "main.things", "key": ["id"], "version": "_generation"}
    return Feed.model_validate({**fixed, "format": {"type": "csv", **form}, "columns": columns, **more})


def _layout(feed: Feed, text: str) -> tuple[str, ...]:
    return inspect_head(text.encode(), len(text.encode()), feed).columns


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ({}, "1,2024-01-01,x\n2,2024-01-02,y\n", "looks like data: is it header: false?"),
        ({}, "A report\nof May\nid,a,b\n1,x,y\n", "line 3 has them: is it skip: 2?"),
        ({"skip": 1}, "A report\nof May\nid,a,b\n", "line 3 has them: is it skip: 2?"),
        ({}, "id,a,b,\n1,x,y,\n", "is it trailing_delimiter: true?"),
        ({}, ",id,a,b\n1,x,y,z\n", 'by from: ""'),
        ({"trailing_delimiter": True}, "id,a,b\n", "does not end with a delimiter"),
        ({"skip": 3}, "x\ny\n", "fewer lines than the 3"),
        ({"header": False}, "id,A,b\n1,x,y\n", "if the file has a header, write header: true"),
        ({"header": False}, "1,x\n2,y\n", "the first line has 2 fields, but feed things has 3 columns"),
        ({"header": False}, "1,x,y,z\n", "the first line has 4 fields, but feed things has 3 columns"),
        (
            {"header": False, "trailing_delimiter": True},
            "1,x,y\n",
            "3 fields, but feed things has 3 columns and a delimiter",
        ),
        ({"quote": "none"}, '"id","a","b"\n', "column id is missing"),
    ],
)
def test_g7_a_header_that_does_not_fit_says_what_may_be_meant(form: dict[str, Any], text: str, words: str) -> None:
    with pytest.raises(PermanentError) as caught:
        _layout(_feed(form), text)
    assert caught.value.reason == "wrong_header"
    assert words in caught.value.detail


def test_g7_a_skipped_line_with_an_open_quote_is_no_line() -> None:
    with pytest.raises(PermanentError, match="line 1, which is to be skipped"):
        _layout(_feed({"skip": 1}), 'A "report\nid,a,b\n')


def test_a_record_of_another_width_does_not_decide_for_a_file_without_a_header() -> None:
    """Nor do blank lines; a file of nothing is a load of no rows."""
    feed = _feed({"header": False})
    for text in ("1\n2,x,y\n", "\n\n2,x,y\n", "\n"):
        assert _layout(feed, text) == ("id", "a", "b")


def _placed(**places: Any) -> list[dict[str, Any]]:
    return [{"name": name, "from": place, "type": "STRING"} for name, place in places.items()]


@pytest.mark.parametrize(
    ("columns", "form", "text", "expected"),
    [
        (_placed(id="", a="x y", b="Größe\t"), {}, ',"Größe\t",x y\n', ("id", "b", "a")),
        (_placed(id=3, a=1), {}, "same,same,same\n", ("a", "_unknown_1", "id")),
        (_placed(id="id", a=2), {}, "id,id2,x,x,\n", ("id", "a", "_unknown_2", "_unknown_3", "_unknown_4")),
        (_placed(id="id", a=2), {}, "id,id\n", ("id", "a")),
        (_placed(id=3, a=1), {"header": False}, "x,y,z,\n", ("a", "_unknown_1", "id", "_unknown_3")),
    ],
)
def test_a_column_is_read_by_name_or_by_place(
    columns: list[dict[str, Any]], form: dict[str, Any], text: str, expected: tuple[str, ...]
) -> None:
    """Names that nobody reads may be alike."""
    assert _layout(_feed(form, columns, unknown_columns="ignore"), text) == expected


def test_a_delete_column_is_read_by_place_or_comes_last() -> None:
    by_place = _feed({"header": False}, _placed(id=2, a=3), delete={"column": "op", "from": 1, "equals": "D"})
    assert _layout(by_place, "D,1,x\n") == ("op", "id", "a")
    last = _feed({"header": False}, delete={"column": "op", "equals": "D"})
    assert _layout(last, "1,x,y,D\n") == ("id", "a", "b", "op")


@pytest.mark.parametrize(
    ("columns", "text", "words"),
    [
        (_placed(id="id", a=2, b="b"), "id,b\n", "column 'b' is read by name, and by place into another column"),
        (_placed(id="id", a="a"), "id,a,a\n", "column 'a' is there more than once"),
        (_placed(id=4), "id,a,b\n", "column id (at place 4) is missing"),
    ],
)
def test_g7_a_place_that_does_not_fit(columns: list[dict[str, Any]], text: str, words: str) -> None:
    with pytest.raises(PermanentError) as caught:
        _layout(_feed({}, columns, unknown_columns="ignore"), text)
    assert words in caught.value.detail


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16le", "windows-1252"])
def test_g7_a_file_that_was_cut_off_is_refused_where_the_feed_asks(encoding: str) -> None:
    """By its last bytes; an end of the line that lies across two characters of UTF-16 is none."""
    form = Csv.model_validate({"type": "csv", "encoding": encoding, "final_newline": True})
    codec = {"utf-16le": "utf-16-le"}.get(encoding, encoding)
    for text, is_right in (
        ("id\n12345.67\n", True),
        ("id\n12345.67\r\n", True),
        ("id\n123", False),
        ("id\nx\u0a00", False),
    ):
        if text.isascii() or "16" in encoding:
            data = text.encode(codec)
            for head in (data, data[:4]):
                try:
                    check_final_newline(head, len(data), form, lambda begin, end, data=data: data[begin:end])  # type: ignore[misc]
                except PermanentError as error:
                    assert (error.reason, is_right) == ("no_final_newline", False)
                else:
                    assert is_right, text


def test_g7_the_end_of_gzip_data_is_the_proof() -> None:
    form = Csv.model_validate({"type": "csv", "final_newline": True})
    check_final_newline(b"\x1f\x8b\x08", 1000, form, lambda *_: b"x")


@pytest.mark.parametrize("quote", ['"', "none"])
def test_what_is_escaped_is_read_again(quote: str) -> None:
    options = Csv.model_validate({"type": "csv", "delimiter": "|", "escape": "\\", "quote": quote})
    fields = ["a|b", '"', "\\", "", "\\N", 'x"', "\\|", "\\\\"]
    assert split("|".join(escaped(field, options) for field in fields), options) == fields


@pytest.mark.parametrize("unknown", ["reject", "ignore", "rescue"])
@pytest.mark.parametrize("name", ['"a\nb"', '"a\r\nb"', '"a\rb"'], ids=repr)
@pytest.mark.parametrize("skip", [0, 2])
def test_g7_a_name_with_a_line_end_is_refused(name: str, unknown: str, skip: int) -> None:
    """Whether a load job skips its lines or the record is not documented: a part of it might become a row."""
    columns = [{"name": "id", "from": 1, "type": "STRING"}]
    feed = {"feed": "f", "objects": "x", "format": {"type": "csv", "skip": skip}, "table": "main.f", "mode": "append"}
    data = ("exported\n" * skip + f"id,{name}\nx,y\n").encode()
    with pytest.raises(PermanentError, match="name 2 has a quoted line end") as refused:
        inspect_head(data, len(data), Feed.model_validate({**feed, "columns": columns, "unknown_columns": unknown}))
    assert refused.value.reason == "wrong_header"


def test_a_name_with_a_line_end_that_the_contract_has_is_read() -> None:
    columns = [{"name": "id", "type": "STRING"}, {"name": "note", "from": "a\nb", "type": "STRING"}]
    feed = {"feed": "f", "objects": "x", "format": {"type": "csv"}, "table": "main.f", "mode": "append"}
    data = b'id,"a\nb"\nx,y\n'
    assert inspect_head(data, len(data), Feed.model_validate({**feed, "columns": columns})).columns == ("id", "note")


def test_g7_a_nul_is_the_fault_of_its_row_unless_each_line_has_one() -> None:
    """As UTF-16 without a mark has them."""
    columns = [{"name": name, "type": "STRING"} for name in ("id", "note")]
    feed = Feed.model_validate(
        {
            "feed": "f",
            "objects": "x",
            "format": {"type": "csv"},
            "table": "main.f",
            "mode": "append",
            "columns": columns,
        }
    )
    fine = b"id,note\nx,a\0b\n"
    assert inspect_head(fine, len(fine), feed).columns == ("id", "note")
    for data in ("id,note\nx,y\n".encode("utf-16-le"), b"id\0,note\nx,y\n", bytes(1_000)):
        with pytest.raises(PermanentError, match="NUL") as refused:
            inspect_head(data, len(data), feed)
        assert refused.value.reason == "wrong_format"
