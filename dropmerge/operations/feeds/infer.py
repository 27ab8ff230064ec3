"""A first contract from a sample file. Types follow the text rules of services/ingest/check_rows.sql."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

SAMPLE_ROWS = 20_000
_DELIMITERS = ",;\t|"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_VERSION_NAMES = ("modified", "updated", "changed", "version", "timestamp", "time", "date")
_KEY_NAMES = ("id", "key", "number", "code", "no", "uuid", "iban", "icao")
_DELETE_NAMES = {"operation", "op", "_op", "action", "change_type", "deleted", "is_deleted"}
_DELETE_VALUES = ("D", "d", "DELETE", "delete", "DELETED", "deleted", "true", "TRUE", "1")


class InferenceError(Exception):
    """The file is not one that a contract can be made for; the text says why."""


@dataclass
class InferredColumn:
    """A column. `doubts` are for the person who edits the contract."""

    name: str
    type: str
    empty: bool
    """Whether a row without a value was seen."""
    warnings: list[str] = field(default_factory=list)


@dataclass
class Sample:
    delimiter: str
    header: list[str]
    rows: list[list[str]]


@dataclass
class Contract:
    delimiter: str
    columns: list[InferredColumn]
    key: list[str]
    key_doubt: str | None
    version: str
    version_doubt: str | None
    delete: tuple[str, str] | None
    """Column and value."""


def infer(path: Path) -> Contract:
    """Raises CannotGuess."""
    sample = _read(path)
    delete = _delete(sample)
    columns = [
        _column(name, [row[n] for row in sample.rows])
        for n, name in enumerate(sample.header)
        if not delete or name != delete[0]
    ]
    version, version_doubt = _version(columns)
    key, key_doubt = _key(sample, [c for c in columns if c.name != version], version)
    return Contract(sample.delimiter, columns, key, key_doubt, version, version_doubt, delete)


def _read(path: Path) -> Sample:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            if not first.strip():
                raise InferenceError(f"{path} has no header")
            delimiter = max(_DELIMITERS, key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = next(reader)
            rows = list(itertools.islice(reader, SAMPLE_ROWS))
    except UnicodeDecodeError as error:
        raise InferenceError(
            f"{path} is not UTF-8 text: byte {error.start}; a sample must be an uncompressed CSV file"
        ) from error
    except csv.Error as error:
        raise InferenceError(f"{path} is not CSV: {error}") from error
    bad = [name for name in header if not _NAME.fullmatch(name)]
    if bad:
        raise InferenceError(f"these cannot be columns of a table (letters, digits, _): {', '.join(map(repr, bad))}")
    if len({name.lower() for name in header}) < len(header):
        raise InferenceError("two columns have one name (BigQuery ignores case)")
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise InferenceError(f"record {number} has {len(row)} fields, the header {len(header)}")
    return Sample(delimiter, header, rows)


def _is_date(text: str) -> bool:
    return _parses(date.fromisoformat, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)


def _is_timestamp(text: str) -> bool:
    return _parses(datetime.fromisoformat, _CLOCK + r"(Z|[+-][0-9]{2}:[0-9]{2})", text)


def _is_local_time(text: str) -> bool:
    return _parses(datetime.fromisoformat, _CLOCK, text)


_CLOCK = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"


def _parses(read: Callable[[str], object], pattern: str, text: str) -> bool:
    if not re.fullmatch(pattern, text):
        return False
    try:
        read(text)
    except ValueError:
        return False
    return True


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", text) is not None and abs(int(text)) < 2**63


def _is_numeric(text: str) -> bool:
    match = re.fullmatch(r"[+-]?([0-9]+)(?:\.([0-9]+?)0*)?", text)
    return match is not None and len(match[1].lstrip("0")) <= 29 and len(match[2] or "") <= 9


def _is_float(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text) is not None


_TYPES: list[tuple[str, Callable[[str], bool]]] = [
    ("BOOL", lambda text: text.lower() in ("true", "false")),
    ("INT64", _is_integer),
    ("NUMERIC", _is_numeric),
    ("FLOAT64", _is_float),
    ("DATE", _is_date),
    ("TIMESTAMP", _is_timestamp),
]


def _column(name: str, values: list[str]) -> InferredColumn:
    filled = [value for value in values if value]
    column = InferredColumn(name, "STRING", len(filled) < len(values))
    if not filled:
        column.warnings.append("no value seen")
        return column
    column.type = next((kind for kind, fits in _TYPES if all(map(fits, filled))), "STRING")
    if column.type == "INT64" and any(re.match(r"[+-]?0[0-9]", value) for value in filled):
        column.type = "STRING"
        column.warnings.append("digits with leading zeros, which a number would lose")
    elif column.type == "INT64" and _looks_like_key(name):
        column.warnings.append("digits only: STRING if it is a code, not a count")
    elif column.type == "FLOAT64":
        column.warnings.append("more decimals than NUMERIC keeps, or exponents")
    elif column.type == "STRING" and all(map(_is_local_time, filled)):
        column.warnings.append("times without an offset: which zone?")
    return column


def _looks_like_key(name: str) -> bool:
    return name.lower().rpartition("_")[2] in _KEY_NAMES or name.lower().endswith("id")


def _version(columns: Sequence[InferredColumn]) -> tuple[str, str | None]:
    ranks = {"TIMESTAMP": 0, "DATE": 1, "INT64": 2, "NUMERIC": 3}
    fit = [
        c for c in columns if c.type in ranks and not c.empty and not (c.type == "INT64" and _looks_like_key(c.name))
    ]
    if not fit:
        raise InferenceError(
            "no column can be the version that says which of two rows is newer: a TIMESTAMP with offset, "
            "a DATE, an INT64 or a NUMERIC that is never empty"
        )

    def rank(column: InferredColumn) -> tuple[bool, int]:
        return not any(word in column.name.lower() for word in _VERSION_NAMES), ranks[column.type]

    best = min(fit, key=rank)
    sure = best.type == "TIMESTAMP" and not rank(best)[0] and sum(c.type == "TIMESTAMP" for c in fit) == 1
    others = ", ".join(c.name for c in fit if c is not best)
    return best.name, None if sure else "must grow with every change of a row" + (f"; or: {others}" if others else "")


def _key(sample: Sample, columns: Sequence[InferredColumn], version: str) -> tuple[list[str], str | None]:
    fit = [c.name for c in columns if not c.empty and c.type != "FLOAT64"]
    if not fit:
        raise InferenceError("no column can be part of a key: every one is empty somewhere or a float")
    likely = [name for name in fit if _looks_like_key(name)]
    wide = [key for width in (1, 2, 3) for key in itertools.combinations(likely[:8], width)]
    for key in [*wide, *((name,) for name in fit)]:
        if sample.rows and _distinct(sample, key):
            return list(key), "no two rows share it in this sample: does it name one thing for ever?"
    key = tuple(likely or fit[:1])
    if sample.rows and _distinct(sample, (*key, version)):
        return list(key), "several rows share it in this sample, with different versions: is it the whole key?"
    return list(key), "several rows share it in this sample: it may be too short"


def _distinct(sample: Sample, names: Sequence[str]) -> bool:
    """Whether these tell all rows apart, repetitions of a whole row aside."""
    places = [sample.header.index(name) for name in names]
    return len({tuple(row[n] for n in places) for row in sample.rows}) == len(set(map(tuple, sample.rows)))


def _delete(sample: Sample) -> tuple[str, str] | None:
    for n, name in enumerate(sample.header):
        if name.lower() in _DELETE_NAMES:
            values = {row[n] for row in sample.rows if row[n]}
            if len(values) <= 5:
                return name, next((value for value in _DELETE_VALUES if value in values), "D")
    return None
