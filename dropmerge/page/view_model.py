"""What a page shows, in its three forms: HTML for people, JSON and CSV at the same address for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, stream_with_context

from dropmerge.operations.texts import csv_lines, json_text


@dataclass(frozen=True)
class ViewModel:
    title: str
    template: str
    command: str
    """What to type for the same; empty where no command does that."""
    as_of: datetime
    json: Callable[[], Any]
    """As the command's --json has it: a list may be an iterator."""
    columns: Sequence[str]
    """Of the CSV, whether it has lines or not."""
    rows: Callable[[], Iterable[Mapping[str, Any]]]
    """One for each line of the CSV, with keys of the columns and no others."""
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
    return Response(json_text(found), shown.status, mimetype="application/json")


def as_csv(shown: ViewModel, name: str) -> Response:
    """As the command's --csv, where it has one."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    lines = stream_with_context(csv_lines(shown.columns, shown.rows()))
    return Response(lines, shown.status, mimetype="text/csv", headers=disposition)


def _array(items: Iterator[Any]) -> Iterator[str]:
    yield "["
    for number, one in enumerate(items):
        yield f"{',' if number else ''}\n{json_text(one)}"
    yield "\n]\n"
