"""Which columns tell rows apart, and which says what of two rows is newer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dropmerge.operations.feeds.inference.columns import Column
from services.shared.contract.types import TYPES
from services.shared.contract.version import GENERATION

_CHANGES = {"changed", "lastmod", "modified", "revision", "update", "updated", "version"}
"""Words of a name: values of such a column grow with every change of a row. Those of a price or a date need not."""
_MEASURES = ("NUMERIC", "BIGNUMERIC", "FLOAT64")
_PERIODS = {"year", "month", "quarter", "week", "day", "hour", "minute", "period", "jahr", "monat", "annee", "ano"}
_MOST_WIDE = 5
_MOST_CANDIDATES = 12
_MOST_TRIED = 3_000


@dataclass(frozen=True)
class Identity:
    """What tells rows apart; no key where nothing does."""

    key: tuple[str, ...]
    key_doubt: str
    version: str
    version_doubt: str | None
    kept: int
    """Rows of the sample that are in the table after it."""


class _Rows:
    """The columns that may be of a key, by name."""

    def __init__(self, columns: Sequence[Column], rows: int) -> None:
        self.count = rows
        self.of = {column.name: _values(column) for column in columns}
        self.fit = [c.name for c in columns if self._is_fit(c) and None not in self.of[c.name]]

    def fill(self, columns: Sequence[Column]) -> None:
        """Take texts that are empty somewhere too, as texts that are empty."""
        filled = [c.name for c in columns if self._is_fit(c) and c.type == "STRING" and c.name not in self.fit]
        self.of |= {name: [text or "" for text in self.of[name]] for name in filled}
        self.fit += filled

    def _is_fit(self, column: Column) -> bool:
        is_scalar = column.options.get("mode") != "REPEATED"
        return bool(self.count) and TYPES[column.type].can_be_key and is_scalar

    def distinct(self, names: Sequence[str]) -> int:
        """How many different rows these make."""
        return len(set(zip(*(self.of[name] for name in names), strict=True)))

    def are_told_apart(self, names: Sequence[str]) -> bool:
        seen = set()
        for row in zip(*(self.of[name] for name in names), strict=True):
            if row in seen:
                return False
            seen.add(row)
        return True


def _values(column: Column) -> list[str | None]:
    texts = column.source.values
    if column.is_trimmed:
        texts = [text and text.strip() for text in texts]
    return [None if text in column.nulls or not text else text for text in texts]


def find_identity(columns: Sequence[Column], rows: int) -> Identity:
    """A version by its name, else the newest file; the smallest likely key, else none: each row counts."""
    found = _Rows(columns, rows)
    version = _version(columns, found)
    candidates = [column for column in columns if column.name != version]
    if key := _key(candidates, found):
        doubt = "unique in this sample; will it always be?"
        return Identity(key, doubt, version, _version_doubt(version, columns, found, key), rows)
    likely = tuple(c.name for c in candidates if c.looks_like_code and c.name in found.fit)[:_MOST_WIDE]
    if version != GENERATION and likely and found.are_told_apart((*likely, version)):
        doubt = "several rows of this sample share it, with different versions; is it the whole key?"
        return Identity(
            likely, doubt, version, _version_doubt(version, columns, found, likely), found.distinct(likely)
        )
    found.fill(candidates)
    if key := _key(candidates, found):
        doubt = "unique in this sample, counting empty texts as texts"
        return Identity(key, doubt, version, _version_doubt(version, columns, found, key), rows)
    doubt = "no columns are unique in this sample: every row of every file is kept, repeated ones too"
    return Identity((), doubt, GENERATION, None, rows)


def _key(candidates: Sequence[Column], rows: _Rows) -> tuple[str, ...]:
    """The first that tells all rows apart; empty where none does."""
    tried = itertools.islice(_keys(candidates, rows), _MOST_TRIED)
    found = next((key for key in tried if rows.are_told_apart(key)), ())
    return _with_series(found, candidates, rows) if found else ()


def _version(columns: Sequence[Column], rows: _Rows) -> str:
    """A column whose name speaks of change, points in time first; else the newest file wins."""
    return next((column.name for column in _of_change(columns, rows)), GENERATION)


def _of_change(columns: Sequence[Column], rows: _Rows) -> list[Column]:
    """The likeliest first."""
    versions = [kind for kind in TYPES.values() if kind.can_be_version]
    versions.sort(key=lambda kind: kind.at("") is None)
    ranks = {kind.name: n for n, kind in enumerate(versions) if kind.name not in _MEASURES}
    named = [c for c in columns if c.type in ranks and None not in rows.of[c.name] and _words(c.name) & _CHANGES]
    return sorted(named, key=lambda column: ranks[column.type]) if rows.count else []


def _version_doubt(version: str, columns: Sequence[Column], rows: _Rows, key: Sequence[str]) -> str | None:
    if version == GENERATION:
        days = ", ".join(c.name for c in columns if _is_day(c) and c.name in rows.fit and c.name not in key)
        doubt = "no column says which of two rows is newer: the newest file wins"
        return doubt + (f"; or is it {days}, and does it grow with every change?" if days else "")
    best, *others = _of_change(columns, rows)
    if best.type == "TIMESTAMP" and not others:
        return None
    named = ", ".join(one.name for one in others)
    return "must grow with every change of a row" + (f"; or: {named}" if others else "")


def _keys(columns: Sequence[Column], rows: _Rows) -> Iterator[tuple[str, ...]]:
    """What a key may be, the likeliest first: of a series the date is part of it, and a measurement is none."""
    fit = [column for column in columns if column.name in rows.fit and column.type not in _MEASURES]
    days = [c.name for c in fit if _is_day(c) or _words(c.name) & _PERIODS]
    codes = [c.name for c in fit if c.looks_like_code and c.name not in days]
    # A whole number in the first column counts the rows, elsewhere it measures.
    names = [c.name for c in fit if c.name not in (*days, *codes) and (c.type != "INT64" or c is columns[0])]
    alone = [*codes, *names, *days]
    yield from ((name,) for name in alone)
    order = {column.name: n for n, column in enumerate(columns)}
    tried = [name for name in (*codes, *days, *names) if rows.distinct((name,)) > 1][:_MOST_CANDIDATES]
    for width in range(2, _MOST_WIDE + 1):
        for key in itertools.combinations(tried, width):
            yield tuple(sorted(key, key=order.__getitem__))
    yield from ((c.name,) for c in fit if c.name not in alone)


def _with_series(key: tuple[str, ...], columns: Sequence[Column], rows: _Rows) -> tuple[str, ...]:
    """Of a series, what it is a series of, though the sample has only one: the next file may have another."""
    of_key = [column for column in columns if column.name in key]
    first = columns[0]
    is_series = all(map(_is_day, of_key)) and first.type == "STRING" and first.name in rows.fit
    return (first.name, *key) if is_series and first.name not in key else key


def _is_day(column: Column) -> bool:
    return TYPES[column.type].at("") is not None


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)}
