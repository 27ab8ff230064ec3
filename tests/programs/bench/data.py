"""Two files of accounts and the table they must give: the generator's, and rows that quick code gets wrong.

The generator's files have updates, deletes and late rows, in a file and from file to file. Those that are added here
have ids that look like something else (`NA`, `007`) and balances that a float does not hold. Of their accounts a third
is updated by the second file, which then repeats an older row of them; for a third it is too late.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.topology import ROOT

_SEED = "5"
_SHARES = ("--delete-probability", "0.02", "--late-probability", "0.02")
_CUSTOMERS = ("NA", "null", "007", "1e5", "True")
_FEWEST, _ROWS_PER_TRAP = 20, 1000
_FIRST, _UPDATE = "2025-01-01T00:00:01.000000Z", "2025-03-01T00:00:00.000000Z"
_OLDER, _LATE = "2024-12-01T00:00:00.000000Z", "2024-11-01T00:00:00.000000Z"


@dataclass(frozen=True)
class Files:
    """In the order in which they are dropped."""

    initial: Path
    incremental: Path
    expected: Path
    rows: int
    """of the first"""
    incremental_rows: int

    @property
    def by_part(self) -> dict[str, Path]:
        return {"initial": self.initial, "incremental": self.incremental}


def make(folder: Path, rows: int) -> Files:
    """A first file of so many rows, and one with a fifth of them; the traps are beside them."""
    initial, incremental, expected = (folder / f"{name}.csv" for name in ("initial", "incremental", "expected"))
    _generate("initial", "--rows", rows, "--out", initial)
    _generate(
        "incremental", "--rows", rows // 5, "--out", incremental, "--continue-from", initial, "--expect", expected
    )
    traps = range(max(_FEWEST, rows // _ROWS_PER_TRAP))
    _append(initial, (_row(n, _FIRST, 0) + ",U" for n in traps))
    _append(incremental, (one for n in traps for one in _later_rows(n)))
    _append(expected, (_row(n, _UPDATE, 1) if _is_updated(n) else _row(n, _FIRST, 0) for n in traps))
    return Files(initial, incremental, expected, _count(initial), _count(incremental))


def _generate(*words: object) -> None:
    command = [sys.executable, "-m", "generator", *map(str, words), "--seed", _SEED, *_SHARES]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _later_rows(number: int) -> Iterator[str]:
    if _is_updated(number):
        yield _row(number, _UPDATE, 1) + ",U"
        yield _row(number, _OLDER, 2) + ",U"
    elif number % 3 == 1:
        yield _row(number, _LATE, 3) + ",U"


def _is_updated(number: int) -> bool:
    return number % 3 == 0


def _row(number: int, version: str, change: int) -> str:
    """customer_id, account_number, credit_score, account_balance, last_modified"""
    balance = f"{10**16 + number * 7919 + change}.{(number * 37 + 123_456_789) % 10**9:09d}"
    return f"{_CUSTOMERS[number % len(_CUSTOMERS)]},{number:010d},{300 + number % 551},{balance},{version}"


def _append(path: Path, rows: Iterable[str]) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.writelines(f"{row}\n" for row in rows)


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file) - 1
