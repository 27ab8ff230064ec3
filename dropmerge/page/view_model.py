"""What a page shows, in its three forms: HTML for people, JSON and CSV at the same address for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, stream_with_context


@dataclass(frozen=True)
class ViewModel:
    title: str
    template: str
    command: str
    """What to type for the same."""
    as_of: datetime
    json: Callable[[], Any]
    """As the command's --json has it: a list may be an iterator."""
    rows: Callable[[], Iterable[Mapping[str, Any]]]
    """One for each line of the CSV, all with the same keys."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Of the template."""
    trouble: str | None = None
    """Why the figures are old."""
    status: int = 200
    every: int = 10
    """Seconds after which the page asks for newer figures."""


def as_json(shown: ViewModel) -> Response:
    """An iterator becomes an array, an item at a time."""
    found = shown.json()
    if isinstance(found, Iterator):
        return Response(stream_with_context(_array(found)), shown.status, mimetype="application/json")
    return Response(_text(found), shown.status, mimetype="application/json")


def level(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each with the keys of all, as the lines of a CSV have them."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return [{key: row.get(key) for key in keys} for row in rows]


def as_csv(shown: ViewModel, name: str) -> Response:
    """RFC 4180, with a header. Names and errors are others' text: one that a spreadsheet would compute is quoted."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(stream_with_context(_lines(shown.rows())), shown.status, mimetype="text/csv", headers=disposition)


def _array(items: Iterator[Any]) -> Iterator[str]:
    yield "["
    for number, one in enumerate(items):
        yield f"{',' if number else ''}\n{_text(one)}"
    yield "\n]\n"


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    is_first = True
    for row in rows:
        if is_first:
            yield _line(row.keys())
            is_first = False
        yield _line(map(_cell, row.values()))


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _cell(value: Any) -> str:
    """A cell that begins as a formula does gets an apostrophe before it: it would be computed where it is opened
    (https://owasp.org/www-community/attacks/CSV_Injection)."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = value if isinstance(value, str) else _text(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
