"""What exists after earlier files of this generator: the accounts rebuilt from the files alone."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from generator.accounts import Accounts, account_serials
from generator.checked_rows import Record, check, read_records
from generator.errors import GeneratorError, MalformedFile
from generator.people import customer_number

_CHUNK = 65_536
_UNKNOWN = -1  # a key field left empty
_NEVER = np.iinfo(np.int64).min  # the version of an account of which only bad rows were seen

_Seen = tuple[int, int, int, int]
"""line, account number, customer number, microseconds"""


def rebuild(paths: Sequence[Path]) -> Accounts:
    """The accounts that all earlier files, in the order they were written, leave behind.

    MalformedFile names the line of a file that is not this generator's, or that does not follow on from those before.
    """
    accounts = Accounts()
    rows_before = 0
    for path in paths:
        rows_before += _take_in(accounts, path, rows_before)
    _settle_gaps(accounts)
    return accounts


def _take_in(accounts: Accounts, path: Path, rows_before: int) -> int:
    count = 0
    seen = _seen(path)
    while chunk := list(islice(seen, _CHUNK)):
        lines, numbers, customers, versions = (np.array(column, np.int64) for column in zip(*chunk, strict=True))
        serials = np.where(numbers == _UNKNOWN, _UNKNOWN, account_serials(numbers))
        newest_possible = rows_before + count + np.arange(len(chunk))
        ahead = np.flatnonzero((serials > newest_possible) | (customers > newest_possible))
        if len(ahead):
            raise MalformedFile(
                path,
                int(lines[ahead[0]]),
                "this row names an account or customer from a file not given before it:"
                " --continue-from takes all earlier files, oldest first",
            )
        _note(accounts, serials, customers, versions)
        count += len(chunk)
    return count


def _note(accounts: Accounts, serials: np.ndarray, customers: np.ndarray, versions: np.ndarray) -> None:
    missing = int(serials.max()) + 1 - accounts.count
    if missing > 0:
        accounts.add(np.full(missing, _UNKNOWN), np.full(missing, _NEVER))
    known = (serials != _UNKNOWN) & (customers != _UNKNOWN)
    accounts.assign(serials[known], customers[known])
    accounts.saw(serials[known], versions[known])


def _settle_gaps(accounts: Accounts) -> None:
    """Accounts named by bad rows alone: the ownerless go to the first customer, all are as old as the oldest."""
    everyone = np.arange(accounts.count)
    ownerless = np.flatnonzero(accounts.customer_of(everyone) == _UNKNOWN)
    accounts.assign(ownerless, np.zeros(len(ownerless), np.int64))
    versions = accounts.version_of(everyone)
    unseen = versions == _NEVER
    if unseen.any():
        accounts.saw(everyone[unseen], np.full(int(unseen.sum()), versions[~unseen].min(initial=0)))


def _seen(path: Path) -> Iterator[_Seen]:
    for line, record in read_records(path):
        row = check(record)
        version = int(_NEVER) if row is None else row.last_modified
        try:
            number, customer = _account_number(record), _customer(record)
        except GeneratorError as error:
            raise MalformedFile(path, line, str(error)) from error
        yield line, number, customer, version


def _account_number(record: Record) -> int:
    text = record.account_number
    if not text:
        return _UNKNOWN
    if len(text) != 10 or not (text.isascii() and text.isdigit()):
        raise GeneratorError(f"account_number {text!r} was not written by this generator")
    return int(text)


def _customer(record: Record) -> int:
    return customer_number(record.customer_id) if record.customer_id else _UNKNOWN
