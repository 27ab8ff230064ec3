"""The expected main table: what its current rows must be once the given files are merged.

For each key the winner is the row with the greatest (version, object generation, delete over update, then the
remaining columns in contract order, NULL smallest). The generation of a file is taken to be its place in the order
given, so the answer holds when files are dropped in that order; another order can differ only where two files have
rows with the same key and version. Keys whose winner is a delete are left out, and so are bad rows: the answer is
for feeds that tolerate as many as there are (past that, the whole file is dead-lettered).

Files are streamed; memory holds one winner a key, about 600 bytes.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from generator.checked_rows import BILLION, EPOCH, REQUIRED_COLUMNS, Row, check, read_records
from generator.errors import GeneratorError

ExpectedRow = tuple[str, str, str, str, str]
"""customer_id, account_number, credit_score, account_balance, last_modified, in canonical text"""

_Key = tuple[str, str]
_Rank = tuple[int, int, bool, int, int]
"""version, file's place, deleted, score, balance: the greatest wins"""

_NULL = -(10**39)  # below every INT64 and every NUMERIC in billionths


class Mode(StrEnum):
    """What of several files is in the table, as a contract says it."""

    UPSERT = "upsert"
    APPEND = "append"
    SNAPSHOT = "snapshot"


def expected(paths: Sequence[Path], mode: Mode = Mode.UPSERT) -> Iterator[ExpectedRow]:
    """The current rows after merging the files in this order, sorted.

    With `append` each good row of each file; with `snapshot` those of the last file, a key's greatest row.

    MalformedFile for a file that would be dead-lettered as a whole, GeneratorError for one that cannot be read.
    """
    if mode == Mode.APPEND:
        yield from sorted(_canonical(row) for row in _changes_only(paths))
        return
    if mode == Mode.SNAPSHOT:
        newest: dict[_Key, ExpectedRow] = {}
        for row in sorted(_changes_only(paths[-1:]), key=_in_columns_order):
            newest[row.customer_id, row.account_number] = _canonical(row)
        yield from (newest[key] for key in sorted(newest))
        return
    winners = _winners(paths)
    for key in sorted(winners):
        version, _, deleted, score, balance = winners[key]
        if not deleted:
            yield (*key, _integer_text(score), _numeric_text(balance), _timestamp_text(version))


def write_expected(rows: Iterable[ExpectedRow], path: Path) -> int:
    """Write the rows as CSV with a header, LF line ends, NULL as an empty field; returns how many there are."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(REQUIRED_COLUMNS)
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last count is the answer
            writer.writerow(row)
    return count


def _winners(paths: Sequence[Path]) -> dict[_Key, _Rank]:
    winners: dict[_Key, _Rank] = {}
    for place, path in enumerate(paths):
        for _, record in read_records(path):
            row = check(record)
            if row is None:
                continue
            key = (row.customer_id, row.account_number)
            rank = (
                row.last_modified,
                place,
                row.deleted,
                _ranked(row.credit_score),
                _ranked(row.account_balance),
            )
            best = winners.get(key)
            if best is None or rank > best:
                winners[key] = rank
    return winners


def _changes_only(paths: Sequence[Path]) -> Iterator[Row]:
    """The good rows. GeneratorError for one that is a delete."""
    for path in paths:
        for line, record in read_records(path):
            row = check(record)
            if row is not None and row.deleted:
                raise GeneratorError(f"{path}:{line} is a delete: feeds of this mode have none")
            if row is not None:
                yield row


def _canonical(row: Row) -> ExpectedRow:
    score, balance = _ranked(row.credit_score), _ranked(row.account_balance)
    texts = _integer_text(score), _numeric_text(balance), _timestamp_text(row.last_modified)
    return (row.customer_id, row.account_number, *texts)


def _in_columns_order(row: Row) -> tuple[int, int, int]:
    """By which rows of one key and file are told apart where the newest file wins: the greatest stays."""
    return _ranked(row.credit_score), _ranked(row.account_balance), row.last_modified


def _ranked(value: int | None) -> int:
    return _NULL if value is None else value


def _integer_text(value: int) -> str:
    return "" if value == _NULL else str(value)


def _numeric_text(billionths: int) -> str:
    """Plain decimal notation without trailing zeros: 12.5, 0, -3.25."""
    if billionths == _NULL:
        return ""
    whole, decimals = divmod(abs(billionths), BILLION)
    text = f"{whole}.{decimals:09d}".rstrip("0").rstrip(".")
    return f"-{text}" if billionths < 0 else text


def _timestamp_text(microseconds: int) -> str:
    """RFC 3339 in UTC with six decimals: 2026-01-01T00:00:00.000000Z."""
    moment = EPOCH + timedelta(microseconds=microseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
