"""Reads files of the accounts feed and separates good rows from bad ones, by the feed's rules.

Shares nothing with the code that makes rows: what it drops is decided from the text alone. One rule cannot be: that
a version lies more than 24 hours after its object's creation, because a file does not know when it is dropped.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from generator.errors import MalformedFile
from generator.reading import rows_of

REQUIRED_COLUMNS = ("customer_id", "account_number", "credit_score", "account_balance", "last_modified")
DELETE_COLUMN, DELETE_MARK = "operation", "D"

BILLION = 10**9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC) - EPOCH
_LATEST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC) - EPOCH
_MICROSECOND = timedelta(microseconds=1)
_NUMERIC_LIMIT = 10**38  # in billionths: 29 digits before the point


class Record(NamedTuple):
    """One record as it stands in the file, unchecked; `operation` is empty where the file has no such column."""

    customer_id: str
    account_number: str
    credit_score: str
    account_balance: str
    last_modified: str
    operation: str


class Row(NamedTuple):
    """A good row. For a delete, score and balance are None whatever the file says."""

    customer_id: str
    account_number: str
    credit_score: int | None
    account_balance: int | None
    """billionths"""
    last_modified: int
    """microseconds since 1970"""
    deleted: bool


class _BadValueError(ValueError):
    """A field that makes its row a bad one."""


def read_records(path: Path) -> Iterator[tuple[int, Record]]:
    """Each record with the number of the line it ends on.

    Raises:
        MalformedFile: the pipeline would dead-letter the file as a whole.
        GeneratorError: the file cannot be read.
    """
    rows = rows_of(path)
    _, header = next(rows, (0, None))
    order = _column_order(header, path)
    width = len(order) - (DELETE_COLUMN not in (header or ()))
    absent = [] if width == len(order) else [""]
    for line, fields in rows:
        if len(fields) != width:
            raise MalformedFile(path, line, f"{len(fields)} fields where the header has {width}")
        fields += absent
        yield line, Record._make([fields[place] for place in order])


def _column_order(header: list[str] | None, path: Path) -> list[int]:
    """Where each field of a Record stands in the file; an absent `operation` stands after the last column."""
    if header is None:
        raise MalformedFile(path, 1, "the file is empty, it has no header")
    known = (*REQUIRED_COLUMNS, DELETE_COLUMN)
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    unknown = [name for name in header if name not in known]
    if missing or unknown or len(set(header)) < len(header):
        raise MalformedFile(path, 1, f"the header {','.join(header)!r} is not {','.join(known)!r}, in any order")
    return [header.index(name) if name in header else len(header) for name in known]


def check(record: Record) -> Row | None:
    """The typed row, or None for a bad row."""
    customer_id, account_number, score, balance, version, operation = record
    if not customer_id or not account_number:
        return None
    deleted = operation == DELETE_MARK
    try:
        return Row(
            customer_id,
            account_number,
            None if deleted else _score(score),
            None if deleted else _billionths(balance),
            _microseconds(version),
            deleted,
        )
    except _BadValueError:
        return None


def _score(text: str) -> int | None:
    if not text:
        return None
    # At most a few significant digits can be in range; without the bound int() itself may refuse.
    if not _INTEGER.fullmatch(text) or len(text.lstrip("+-").lstrip("0")) > 3 or not 300 <= int(text) <= 850:
        raise _BadValueError
    return int(text)


def _billionths(text: str) -> int | None:
    if not text:
        return None
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise _BadValueError
    sign, whole, decimals = match.group(1), match.group(2), (match.group(3) or "")
    significant = decimals.rstrip("0")
    if not (whole or decimals) or len(significant) > 9 or len(whole.lstrip("0")) > 29:
        raise _BadValueError
    size = int(whole.lstrip("0") or 0) * BILLION + int(significant.ljust(9, "0"))
    if size >= _NUMERIC_LIMIT:
        raise _BadValueError
    return -size if sign == "-" else size


def _microseconds(text: str) -> int:
    if not _TIMESTAMP.fullmatch(text):
        raise _BadValueError
    try:
        since = datetime.fromisoformat(text) - EPOCH
    except ValueError:  # an impossible date
        raise _BadValueError from None
    if not _EARLIEST <= since <= _LATEST:
        raise _BadValueError
    return since // _MICROSECOND
