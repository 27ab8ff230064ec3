"""A CSV is the same from a command and from the page, and no cell of it is a formula."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from dropmerge.cli.terminal import print_csv
from dropmerge.page.view_model import ViewModel, as_csv

AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {"name": "plain", "at": AT, "n": 1, "share": 0.1, "is_done": True, "detail": {"at": AT}},
    {"name": "=1+1", "at": None, "n": -1, "share": -0.5, "is_done": False, "detail": ["é"]},
    {"name": '-a, "b"\nc', "at": None, "n": None, "share": None, "is_done": None, "detail": {}},
    *({"name": f"{first}x", "at": None, "n": 0, "share": 0.0, "is_done": True, "detail": None} for first in "+@\t\r"),
]


def _of_the_page(rows: list[dict[str, Any]]) -> bytes:
    shown = ViewModel("", "", "", AT, json=lambda: rows, rows=lambda: rows)
    with Flask(__name__).test_request_context():
        return as_csv(shown, "rows").get_data()


def _of_a_command(rows: list[dict[str, Any]], capfdbinary: pytest.CaptureFixture[bytes]) -> bytes:
    print_csv(rows)
    return capfdbinary.readouterr().out


def test_the_page_and_a_command_write_the_same_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert _of_a_command(ROWS, capfdbinary) == _of_the_page(ROWS)


def test_cells_are_texts_that_a_spreadsheet_does_not_compute() -> None:
    """NULL is empty, times are RFC 3339, what has parts is JSON; numbers keep their sign."""
    header, *lines = csv.reader(io.StringIO(_of_the_page(ROWS).decode(), newline=""))
    assert header == list(ROWS[0])
    assert lines[:3] == [
        ["plain", "2026-01-31T09:00:00+00:00", "1", "0.1", "True", '{"at": "2026-01-31T09:00:00+00:00"}'],
        ["'=1+1", "", "-1", "-0.5", "False", '["é"]'],
        ['\'-a, "b"\nc', "", "", "", "", "{}"],
    ]
    assert [line[0] for line in lines[3:]] == ["'+x", "'@x", "'\tx", "'\rx"]
