"""Rows drawn at random, a batch at a time, each batch with a handful of array operations.

A clock that only goes forward gives each row its version: a row is newer than all rows before it, in this file and
in the files it continues from, unless it is drawn late.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from generator.accounts import Accounts, Ints
from generator.bad_rows import GOOD, KINDS, KINDS_FOR_A_DELETE
from generator.errors import GeneratorError

Flags = NDArray[np.bool_]

NO_SCORE = -1
NO_BALANCE = np.iinfo(np.int64).min
CLOCK_STEP = 10_000  # microseconds from one row to the next, so ten million rows span 28 hours
_CENT = 10**7  # balances count billionths
_LATEST = 30 * 24 * 3600 * 10**6  # a late row is up to 30 days older, in microseconds
_DELETES_OF_KNOWN_ACCOUNTS = 0.95  # the others name an account that no row has named yet
_FINE_BALANCES = 1 / 64  # balances with nine decimals


@dataclass(frozen=True)
class Shares:
    """How likely each thing is for one row, 0 to 1 each.

    reuse: the row is for a customer who exists. update: such a row updates an account, else it opens one.
    duplicate: half of them repeat a row exactly, half its key and version only. null: of each of score and balance.
    """

    reuse: float = 0.5
    update: float = 0.5
    delete: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    bad: float = 0.0
    null: float = 0.01

    def __post_init__(self) -> None:
        for field in fields(self):
            share = getattr(self, field.name)
            if not 0 <= share <= 1:
                raise GeneratorError(f"the {field.name} probability must be between 0 and 1, not {share}")


@dataclass(frozen=True)
class Batch:
    """Rows as columns of equal length."""

    customer: Ints
    """customer numbers"""
    account: Ints
    """account serial numbers"""
    score: Ints
    """300 to 850, or NO_SCORE"""
    balance: Ints
    """billionths, or NO_BALANCE"""
    version: Ints
    """microseconds since 1970"""
    deleted: Flags
    late: Flags
    """older than what was there before"""
    duplicate: Flags
    """the key and version of an earlier row"""
    bad: Ints
    """which of bad_rows.KINDS, or GOOD"""


@dataclass(frozen=True)
class _Target:
    """Whose row each row is, before duplicates are copied over."""

    account: Ints
    late: Flags


def draw(rng: np.random.Generator, size: int, accounts: Accounts, shares: Shares, clock: int) -> Batch:
    """The next `size` rows (at least one), the first at `clock` microseconds; `accounts` learns of them."""

    def chosen(share: float) -> Flags:
        return rng.random(size) < share

    duplicate, exact = chosen(shares.duplicate), chosen(0.5)
    duplicate[0] = False  # nothing before it in this batch
    deleted = chosen(shares.delete)
    version = clock + np.arange(size) * CLOCK_STEP + rng.integers(0, CLOCK_STEP, size)
    target = _draw_targets(rng, accounts, shares, version, deleted, duplicate)
    version = np.where(target.late, accounts.version_of(target.account) - rng.integers(1, _LATEST, size), version)
    score, balance = _draw_scores(rng, size, shares.null), _draw_balances(rng, size, shares.null)
    bad = _draw_bad(rng, chosen(shares.bad), deleted)

    key_from = _sources(rng, duplicate)
    rest_from = np.where(exact, key_from, np.arange(size))
    account, version, late = target.account[key_from], version[key_from], target.late[key_from]
    bad = bad[rest_from]
    counts = (bad == GOOD) & ~late
    accounts.saw(account[counts], version[counts])
    return Batch(
        customer=accounts.customer_of(account),
        account=account,
        score=score[rest_from],
        balance=balance[rest_from],
        version=version,
        deleted=deleted[rest_from],
        late=late,
        duplicate=duplicate,
        bad=bad,
    )


def _draw_targets(
    rng: np.random.Generator,
    accounts: Accounts,
    shares: Shares,
    version: Ints,
    deleted: Flags,
    duplicate: Flags,
) -> _Target:
    """An existing account or the next new one for each row; new ones are added to `accounts`."""
    size = len(version)
    reused = rng.random(size) < shares.reuse
    late = (rng.random(size) < shares.late) & ~duplicate
    existing = (
        late
        | (deleted & (rng.random(size) < _DELETES_OF_KNOWN_ACCOUNTS))
        | (reused & (rng.random(size) < shares.update))
    )
    if accounts.count == 0:
        reused[0] = late[0] = existing[0] = False  # the very first row has nobody to refer to
    opens = ~existing & ~duplicate
    newcomer = opens & ~reused
    accounts_before = accounts.count + np.cumsum(opens) - opens
    customers_before = accounts.customers + np.cumsum(newcomer) - newcomer
    account = np.where(opens, accounts_before, _below(rng, accounts_before))
    customer = np.where(newcomer, customers_before, _below(rng, customers_before))
    accounts.add(customer[opens], version[opens])
    return _Target(account, late)


def _below(rng: np.random.Generator, limits: Ints) -> Ints:
    """A number from 0 to just below each limit (limits below 2**53)."""
    return (rng.random(len(limits)) * limits).astype(np.int64)


def _sources(rng: np.random.Generator, duplicate: Flags) -> Ints:
    """For each row the row it takes its key from: itself, or for a duplicate an earlier row that is none."""
    originals = np.flatnonzero(~duplicate)
    earlier_originals = np.cumsum(~duplicate, dtype=np.int64)  # at a duplicate: how many come before it
    return np.where(duplicate, originals[_below(rng, earlier_originals)], np.arange(len(duplicate)))


def _draw_scores(rng: np.random.Generator, size: int, null: float) -> Ints:
    scores = np.clip(rng.normal(690, 90, size).astype(np.int64), 300, 850)
    return np.where(rng.random(size) < null, NO_SCORE, scores)


def _draw_balances(rng: np.random.Generator, size: int, null: float) -> Ints:
    """Mostly cents from -1,000 to 100,000; some to the billionth, which a float would not hold."""
    cents = rng.integers(-100_000, 10_000_000, size) * _CENT
    fine = np.where(rng.random(size) < _FINE_BALANCES, rng.integers(1, _CENT, size), 0)
    return np.where(rng.random(size) < null, NO_BALANCE, cents + fine)


def _draw_bad(rng: np.random.Generator, spoiled: Flags, deleted: Flags) -> Ints:
    kinds = rng.integers(0, len(KINDS), len(spoiled))
    kinds = np.where(deleted, kinds % KINDS_FOR_A_DELETE, kinds)
    return np.where(spoiled, kinds, GOOD)
