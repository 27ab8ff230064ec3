"""A CSV is the same from a command and from the page, and no cell of it is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from dropmerge.cli.terminal import print_csv
from dropmerge.operations.errors import NotDone
from dropmerge.operations.texts import csv_lines
from dropmerge.page.view_model import ViewModel, as_csv

AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {"name": "plain", "at": AT, "n": 1, "share": 0.1, "is_done": True, "detail": {"at": AT}},
    {"name": "=1+1", "at": None, "n": -1, "share": -0.5, "is_done": False, "detail": ["é"]},
    {"name": '-a, "b"\nc', "at": None, "n": None, "share": None, "is_done": None, "detail": {}},
    *({"name": f"{first}x", "at": None, "n": 0, "share": 0.0, "is_done": True, "detail": None} for first in "+@\t\r"),
]


COLUMNS = ("name", "at", "n", "share", "is_done", "detail")


def _of_the_page(rows: list[dict[str, Any]]) -> bytes:
    shown = ViewModel("", "", "", AT, json=lambda: rows, columns=COLUMNS, rows=lambda: rows)
    with Flask(__name__).test_request_context():
        return as_csv(shown, "rows").get_data()


def _of_a_command(rows: list[dict[str, Any]], capfdbinary: pytest.CaptureFixture[bytes]) -> bytes:
    print_csv(COLUMNS, rows)
    return capfdbinary.readouterr().out


def test_the_page_and_a_command_write_the_same_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Where there are no rows, the header."""
    for rows in (ROWS, []):
        assert _of_a_command(rows, capfdbinary) == _of_the_page(rows)
    assert _of_the_page([]) == b"name,at,n,share,is_done,detail\n"


def test_what_a_row_lacks_is_empty_and_what_no_column_has_is_an_error() -> None:
    """A column that was forgotten is seen at once, and is not left out."""
    assert list(csv_lines(("a", "b"), [{"b": 1}, {"b": 2, "a": 3}])) == ["a,b\n", ",1\n", "3,2\n"]
    with pytest.raises(ValueError, match="no columns for c, d"):
        list(csv_lines(("a", "b"), [{"a": 1, "d": 1, "c": 1}]))


def test_nothing_is_written_where_nothing_can_be_read() -> None:
    """A header alone would say that there are no rows."""

    def rows() -> Iterator[dict[str, Any]]:
        raise NotDone("it is away")
        yield {}

    with pytest.raises(NotDone):
        next(csv_lines(("a",), rows()))


def test_cells_are_texts_that_a_spreadsheet_does_not_compute() -> None:
    """NULL is empty, times are RFC 3339, what has parts is JSON; numbers keep their sign."""
    header, *lines = csv.reader(io.StringIO(_of_the_page(ROWS).decode(), newline=""))
    assert header == list(COLUMNS)
    assert lines[:3] == [
        ["plain", "2026-01-31T09:00:00+00:00", "1", "0.1", "True", '{"at": "2026-01-31T09:00:00+00:00"}'],
        ["'=1+1", "", "-1", "-0.5", "False", '["é"]'],
        ['\'-a, "b"\nc', "", "", "", "", "{}"],
    ]
    assert [line[0] for line in lines[3:]] == ["'+x", "'@x", "'\tx", "'\rx"]
