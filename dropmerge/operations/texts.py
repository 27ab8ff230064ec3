"""Answers as programs read them, the same from a command and from the page: JSON, and the lines of a CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import chain
from typing import Any


def json_text(value: Any) -> str:
    """On one line; times as RFC 3339."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def field_names(kind: type) -> tuple[str, ...]:
    """Of a dataclass: the columns of a CSV whose rows are such."""
    return tuple(one.name for one in fields(kind))


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One for each row, below the names of the columns; NULL is empty, as is what a row lacks, what has parts is JSON.

    As RFC 4180 has it, but for a line's end, which is that of every other text here. Raises ValueError for a row that
    has another column, and before the first line what reading the first row raises.
    """
    known, found = set(columns), iter(rows)
    first = next(found, None)
    yield _line(columns)
    for row in chain([first] if first is not None else [], found):
        if others := row.keys() - known:
            raise ValueError(f"no columns for {', '.join(sorted(others))}")
        yield _line(_cell(row.get(name)) for name in columns)


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    # With "\n" as its end, the writer would not quote a cell that has an "\r", at which others end the line.
    csv.writer(text).writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"


def _cell(value: Any) -> str:
    """Names and errors are others' text: one that begins as a formula does gets an apostrophe before it, or a
    spreadsheet would compute it (https://owasp.org/www-community/attacks/CSV_Injection)."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = value if isinstance(value, str) else json_text(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
