"""A first contract from a sample file. A column's type is the first that takes each of its texts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dropmerge.operations.errors import NotDone
from dropmerge.operations.feeds.names import column_names
from services.ingest.formats import sample
from services.shared.contract.formats import Format
from services.shared.contract.types import TYPES
from services.shared.contract.version import GENERATION

SAMPLE_ROWS = 20_000
_CHANGES = {"changed", "lastmod", "modified", "revision", "update", "updated", "version"}
"""Words of a name: values of such a column grow with every change of a row. Those of a price or a date need not."""
_KEY_NAMES = ("id", "key", "number", "code", "no", "uuid", "iban", "icao")
_DELETE_NAMES = {"operation", "op", "action", "change_type", "deleted", "is_deleted"}
_DELETE_VALUES = ("D", "d", "DELETE", "delete", "DELETED", "deleted", "true", "TRUE", "1")


class InferenceError(NotDone):
    """The file is not one that a contract can be made for; the text says why."""


@dataclass
class InferredColumn:
    """A column. `warnings` are for the person who edits the contract."""

    name: str
    header: str
    """Its name in the file."""
    type: str
    empty: bool
    """Whether a row without a value was seen."""
    warnings: list[str] = field(default_factory=list)
    is_digits: bool = False
    """Whether its texts have digits only, and are no numbers."""
    check: str | None = None


@dataclass
class Sample:
    format: Format
    header: list[str]
    """Names in the file."""
    names: list[str]
    """Of the columns."""
    rows: list[list[str]]


@dataclass
class Contract:
    format: Format
    columns: list[InferredColumn]
    key: list[str]
    key_doubt: str | None
    version: str
    version_doubt: str | None
    delete: tuple[str, str, str] | None
    """Column, its name in the file, and value."""


def infer(path: Path) -> Contract:
    """Raises InferenceError."""
    found = _read(path)
    delete = _delete(found)
    columns = [
        _column(name, found.header[n], [row[n] for row in found.rows])
        for n, name in enumerate(found.names)
        if not delete or name != delete[0]
    ]
    version, version_doubt = _version(columns)
    key, key_doubt = _key(found, [c for c in columns if c.name != version], version)
    for column in columns:
        if column.name in key and column.is_digits:
            _guard(column)
    return Contract(found.format, columns, key, key_doubt, version, version_doubt, delete)


def _read(path: Path) -> Sample:
    try:
        options, header, rows = sample(path, SAMPLE_ROWS)
    except ValueError as error:
        raise InferenceError(str(error)) from error
    if len(set(header)) < len(header):
        raise InferenceError("two columns have one name")
    return Sample(options, header, column_names(header), rows)


def _column(name: str, header: str, values: list[str]) -> InferredColumn:
    filled = [value for value in values if value]
    column = InferredColumn(name, header, "STRING", len(filled) < len(values))
    if not filled:
        column.warnings.append("no value seen")
        return column
    column.type = next(
        kind.name
        for kind in TYPES.values()
        if all(map(kind.accepts, filled)) and all(map(kind.is_guessed_from, filled))
    )
    if column.type == "INT64" and any(re.match(r"[+-]?0[0-9]", value) for value in filled):
        column.type = "STRING"
        column.warnings.append("digits with leading zeros, which a number would lose")
        column.is_digits = all(map(str.isdecimal, filled))
    elif column.type == "INT64" and _looks_like_key(name):
        column.warnings.append("digits only: STRING if it is a code, not a count")
    elif column.type == "FLOAT64":
        column.warnings.append("more decimals than NUMERIC keeps, or exponents")
        if _looks_like_key(name):
            column.warnings.append("has a spreadsheet rounded long numbers? Then have the file exported anew")
    elif column.type == "DATETIME":
        column.warnings.append(
            "times without an offset: which zone? Then TIMESTAMP and zone: Europe/Berlin, or what it is"
        )
    return column


def _guard(column: InferredColumn) -> None:
    """Against what a spreadsheet makes of such a key: 4.01289E+15 of two that are alike in their first digits."""
    column.check = f"REGEXP_CONTAINS(`{column.name}`, r'^[0-9]+$')"
    column.warnings.append("its check guards against numbers that a spreadsheet rounded: are all digits?")


def _looks_like_key(name: str) -> bool:
    return name.lower().rpartition("_")[2] in _KEY_NAMES or name.lower().endswith("id")


def _version(columns: Sequence[InferredColumn]) -> tuple[str, str | None]:
    """A column whose name speaks of change, points in time first; else the newest file wins."""
    versions = [kind for kind in TYPES.values() if kind.can_be_version]
    versions.sort(key=lambda kind: kind.at("") is None)
    ranks = {kind.name: n for n, kind in enumerate(versions)}
    named = [c for c in columns if c.type in ranks and not c.empty and _words(c.name) & _CHANGES]
    if not named:
        days = ", ".join(_days(columns))
        doubt = "no column says which of two rows is newer: the newest file wins"
        return GENERATION, doubt + (f"; or is it one of {days}, which then grows with every change?" if days else "")
    best = min(named, key=lambda column: ranks[column.type])
    others = ", ".join(c.name for c in named if c is not best)
    is_sure = best.type == "TIMESTAMP" and not others
    doubt = "must grow with every change of a row" + (f"; or: {others}" if others else "")
    return best.name, None if is_sure else doubt


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)}


def _days(columns: Sequence[InferredColumn]) -> list[str]:
    """Names of columns that are points in time in every row."""
    return [c.name for c in columns if not c.empty and TYPES[c.type].at("") is not None]


def _key(sample: Sample, columns: Sequence[InferredColumn], version: str) -> tuple[list[str], str | None]:
    fit = [c.name for c in columns if not c.empty and TYPES[c.type].can_be_key]
    if not fit:
        raise InferenceError("no column can be part of a key: every one is empty somewhere or a float")
    likely = [name for name in fit if _looks_like_key(name)]
    for key in _keys(columns, fit, likely):
        if sample.rows and _distinct(sample, key):
            return list(key), "no two rows share it in this sample: does it name one thing for ever?"
    key = tuple(likely or fit[:1])
    if version != GENERATION and sample.rows and _distinct(sample, (*key, version)):
        return list(key), "several rows share it in this sample, with different versions: is it the whole key?"
    return list(key), "several rows share it in this sample: it may be too short"


def _keys(columns: Sequence[InferredColumn], fit: list[str], likely: list[str]) -> Iterator[tuple[str, ...]]:
    """What a key may be, the likeliest first: of a series the date is part of it, and a measurement is none."""
    days, measured = (
        _days(columns),
        [c.name for c in columns if c.type in ("NUMERIC", "INT64") and c.name not in likely],
    )
    names = [name for name in fit if name not in (*days, *measured)]
    wide = [key for width in (1, 2, 3) for key in itertools.combinations(likely[:8], width)]
    alone = [(name,) for name in names]
    yield from wide
    yield from alone
    yield from ((*key, day) for key in (*wide, *alone[:8]) for day in days[:3] if day not in key)
    yield from ((name,) for name in fit if name not in names)


def _distinct(sample: Sample, names: Sequence[str]) -> bool:
    """Whether these tell all rows apart, repetitions of a whole row aside."""
    places = [sample.names.index(name) for name in names]
    return len({tuple(row[n] for n in places) for row in sample.rows}) == len(set(map(tuple, sample.rows)))


def _delete(sample: Sample) -> tuple[str, str, str] | None:
    for n, name in enumerate(sample.names):
        if name.lower() in _DELETE_NAMES:
            values = {row[n] for row in sample.rows if row[n]}
            if len(values) <= 5:
                return name, sample.header[n], next((value for value in _DELETE_VALUES if value in values), "D")
    return None
