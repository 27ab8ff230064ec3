"""What makes a row bad: each rule a reason and an SQL condition, in the contract's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from services.ingest.fit import reading
from services.ingest.formats import format_of
from services.ingest.match_header import Layout
from services.ingest.row_texts import columns, delete_markers, source
from services.shared.contract.feed import Column, Feed
from services.shared.contract.limits import limit_refusals
from services.shared.contract.order import RESCUED
from services.shared.sql import identifier

_CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
"""What no text has: the characters that a load job may drop, but tab and line ends, which it keeps."""


@dataclass(frozen=True)
class CheckedColumn:
    """A column of the contract on its way from the raw table's text to a value, each step in SQL."""

    name: str
    source: str
    """The field as text, in the raw table."""
    text: str
    """The name of that text, once it is read."""
    steps: Sequence[Mapping[str, str]]
    """What the value is read from beside the text, by name; each step reads those before."""
    value: str
    """The text as a value of the column's type."""
    nothing: str
    """What a delete has instead."""
    is_kept: bool
    """Whether a delete has it too: a delete needs its key and version only."""


@dataclass(frozen=True)
class Rule:
    reason: str
    """A reason of `ROW_REASONS`, and the column if it is of one."""
    condition: str
    """Refuses the row where it is true; not where it is NULL."""


def checked_columns(feed: Feed, layout: Layout) -> list[CheckedColumn]:
    """The contract's columns, in its order, then those that the table gains."""
    return [_checked(feed, layout, column) for column in columns(feed, layout)]


def steps(checked: Sequence[CheckedColumn]) -> list[dict[str, str]]:
    """Those of all columns together, for a statement that takes them one after the other."""
    together = zip_longest(*(column.steps for column in checked), fillvalue={})
    return [{name: sql for one in step for name, sql in one.items()} for step in together]


def _checked(feed: Feed, layout: Layout, column: Column) -> CheckedColumn:
    kind = reading(column, layout.fields.get(column.name))
    return CheckedColumn(
        name=column.name,
        source=source(feed, layout, column),
        text=_text(column.name),
        steps=kind.steps(_text(column.name)),
        value=kind.cast(_text(column.name)),
        nothing=kind.nothing,
        is_kept=column.name in feed.of_every_row,
    )


def rules(feed: Feed, layout: Layout) -> Iterator[Rule]:
    """For the statement that checks rows, where `_delete_marker` is the marker's text and `_deleted` what it means."""
    yield from (Rule(reason, condition) for reason, condition in format_of(feed).row_refusals(feed))
    yield from _of_columns(feed, layout)


def _of_columns(feed: Feed, layout: Layout) -> Iterator[Rule]:
    if feed.delete and layout.has_delete_column:
        name = feed.delete.column
        yield from (_rule(feed, name, *found) for found in _unreadable(feed, name, "_delete_marker"))
        if delete_markers(feed):
            known = ", ".join(delete_markers(feed))
            yield _rule(
                feed, feed.delete.column, "unknown_delete_marker", f"COALESCE(_delete_marker, '') NOT IN ({known})"
            )
    for column in columns(feed, layout):
        yield from (_rule(feed, column.name, *found) for found in _conditions(feed, layout, column))
    if feed.twice == "reject":
        yield Rule("key_twice", _is_key_twice(feed))
    kept = f"TO_JSON_STRING({RESCUED.name})"
    if layout.rescued:
        yield from (_rule(feed, RESCUED.name, *found) for found in _unreadable(feed, RESCUED.name, kept))
    elif format_of(feed).rescued(feed):
        yield _rule(feed, RESCUED.name, *_not_utf8(kept))


def _is_key_twice(feed: Feed) -> str:
    """Whatever else is right or wrong with the rows: which of them was meant, nobody knows."""
    key = [identifier(name) for name in feed.key]
    known = " AND ".join(f"{name} IS NOT NULL" for name in key)
    return f"{known} AND COUNT(*) OVER (PARTITION BY {', '.join(key)}) > 1"


def _conditions(feed: Feed, layout: Layout, column: Column) -> Iterator[tuple[str, str]]:
    text, value, kind = _text(column.name), identifier(column.name), reading(column, layout.fields.get(column.name))
    yield from _unreadable(feed, column.name, text)
    if column.name in feed.key and column.kind.name == "STRING":
        yield "not_text", f"REGEXP_CONTAINS({text}, r'{_CONTROLS}')"
    if column.name in feed.required:
        yield "missing_value", f"{text} IS NULL"
    yield from ((fault.reason, fault.condition) for fault in kind.faults(text, value))
    if future := feed.ahead_limit(column):
        yield "version_in_the_future", f"{value} > {future}"
    yield from ((limit.reason, limit.condition) for limit in limit_refusals(column, text, value))
    if column.check:
        yield "check_failed", f"NOT ({feed.check_sql(column)})"


def _rule(feed: Feed, column: str, reason: str, condition: str) -> Rule:
    return Rule(f"{reason}: {column}", condition if column in feed.of_every_row else f"NOT _deleted AND ({condition})")


def _text(column: str) -> str:
    return identifier(f"_raw_{column}")


def _not_utf8(text: str) -> tuple[str, str]:
    # BigQuery loads a byte that is not UTF-8 as U+FFFD, which may make one key of two, and a live row of a delete.
    return "not_utf8", f"STRPOS({text}, CHR(65533)) > 0"


def _unreadable(feed: Feed, column: str, text: str) -> Iterator[tuple[str, str]]:
    yield _not_utf8(text)
    yield from format_of(feed).refusals(column, text, feed)
