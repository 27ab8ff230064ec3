"""Where the texts of a row come from: the file's fields, the contract's defaults, and names as parameters.

A text of a contract or of a file reaches a statement as a parameter, never as SQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.ingest.fit import fitted
from services.ingest.formats import format_of
from services.ingest.match_header import Layout
from services.shared.contract.blanks import BLANKS
from services.shared.contract.feed import Column, Feed
from services.shared.contract.limits import limit_parameters
from services.shared.warehouse import Parameters

_NULL = "CAST(NULL AS STRING)"


@dataclass(frozen=True)
class Aside:
    """A column that the contract does not know, on its way into `_rescued`."""

    name: str
    """SQL of its name in the file, as it stands before a value in JSON."""
    text: str
    """SQL of the field."""


def columns(feed: Feed, layout: Layout) -> list[Column]:
    """The contract's, in its order, then those that the table gains."""
    return [*feed.columns, *(Column(name=name, type="STRING") for name in layout.added)]


def source(feed: Feed, layout: Layout, column: Column) -> str:
    """SQL of a column's text in the raw table; where the file, or the row, has no such column, of its default."""
    default = f"@{_default(feed, column)}" if column.default else "''" if column.default == "" else _NULL
    if column.name not in layout.columns:
        return default
    trims = feed.format.trim if column.trim is None else column.trim
    field = _field(feed, column.name, [name for name, _ in _nulls(feed, column)], trims)
    field = fitted(field, layout.fields.get(column.name), column)
    if column.default == "":
        return f"COALESCE({field}, {default})"
    is_absent = format_of(feed).is_absent(column.name, feed) if column.default else None
    return f"IF({is_absent}, {default}, {field})" if is_absent else field


def marker(feed: Feed, layout: Layout) -> str | None:
    """SQL of the delete column's text in the raw table; None where the file has no such column."""
    if feed.delete is None or not layout.has_delete_column:
        return None
    text = format_of(feed).marker(feed.delete.column, feed)
    return _trimmed(text) if feed.format.trim else text


def asides(feed: Feed, layout: Layout) -> list[Aside]:
    nulls = [name for name, _ in _nulls(feed)]
    return [
        Aside(f"@aside_{n}", _field(feed, column, nulls, feed.format.trim))
        for n, (_, column) in enumerate(layout.rescued)
    ]


def delete_markers(feed: Feed) -> list[str]:
    """SQL of each value that the delete column may have; none where the contract does not say."""
    if feed.delete is None or feed.delete.others is None:
        return []
    return ["@delete_marker", *(f"@other_marker_{n}" for n in range(len(feed.delete.others)))]


def parameters(feed: Feed, layout: Layout) -> Parameters:
    """For all SQL that the functions above return."""
    texts = {name: ("STRING", text) for name, text in _texts(feed, layout)}
    columns = (one for column in feed.columns for one in (*column.kind.parameters(), *limit_parameters(column)))
    return {**texts, **dict(columns)}


def _texts(feed: Feed, layout: Layout) -> Iterator[tuple[str, str]]:
    yield from format_of(feed).parameters(feed)
    yield from _nulls(feed)
    if feed.format.trim or any(column.trim for column in feed.columns):
        yield "blanks", BLANKS
    for column in feed.columns:
        yield from _nulls(feed, column)
        is_by_row = column.name in layout.columns and format_of(feed).is_absent(column.name, feed)
        if column.default and (column.name not in layout.columns or is_by_row):
            yield _default(feed, column), column.default
    for n, (name, _) in enumerate(layout.rescued):
        yield f"aside_{n}", f"{json.dumps(name)}:"
    if feed.delete:
        yield "delete_marker", feed.delete.equals
        yield from ((f"other_marker_{n}", text) for n, text in enumerate(feed.delete.others or ()))


def _default(feed: Feed, column: Column) -> str:
    return f"default_{feed.columns.index(column)}"


def _nulls(feed: Feed, column: Column | None = None) -> list[tuple[str, str]]:
    """Names of parameters and texts: the column's own, or else the format's."""
    if column is None or column.nulls is None:
        return [(f"null_{n}", text) for n, text in enumerate(feed.format.nulls)]
    return [(f"null_{feed.columns.index(column)}_{n}", text) for n, text in enumerate(column.nulls)]


def _field(feed: Feed, column: str, nulls: Sequence[str], trims: bool) -> str:
    text = format_of(feed).text(column, feed)
    text = f"NULLIF({_trimmed(text)}, '')" if trims else text
    return f"IF({text} IN ({', '.join(f'@{name}' for name in nulls)}), NULL, {text})" if nulls else text


def _trimmed(text: str) -> str:
    return f"TRIM({text}, @blanks)"
