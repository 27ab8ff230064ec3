"""A whole file, batch by batch, so that memory does not grow with its rows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from generator.accounts import Accounts
from generator.csv_text import header, lines
from generator.rows import CLOCK_STEP, Shares, draw

_BATCH = 65_536


def generate(
    path: Path,
    rows: int,
    seed: int,
    accounts: Accounts,
    shares: Shares,
    start: int,
    done: Callable[[int], None],
) -> None:
    """Write `rows` rows; `accounts` learns of them. `start` is in microseconds; `done` is told the rows of each batch.

    The clock goes on after the newest version there is, and begins at `start` where there is none.
    """
    # The number of accounts is part of the seed: a continuation does not repeat the file before it.
    rng = np.random.default_rng([seed, accounts.count])
    newest = accounts.newest_version()
    clock = start if newest is None else max(start, newest + CLOCK_STEP)
    with_operation = shares.delete > 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(header(with_operation))
        for size in _sizes(rows):
            file.write(lines(draw(rng, size, accounts, shares, clock), with_operation))
            clock += size * CLOCK_STEP
            done(size)


def _sizes(rows: int) -> Iterator[int]:
    for first in range(0, rows, _BATCH):
        yield min(_BATCH, rows - first)
