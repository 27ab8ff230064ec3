"""The generator's rows per second, beside those of a plain loop of Faker calls."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from faker import Faker

from deploy.topology import ROOT
from tests.programs.bench.figures import Figure, Found, found, ratios
from tests.programs.bench.options import Options

_ROWS, _LOOPED_ROWS = 1_000_000, 5000
_TIMES_FASTER = 15


def measure(options: Options) -> Found:
    """One after the other, each time."""
    rows, looped = options.pick(_ROWS, _ROWS // 5), options.pick(_LOOPED_ROWS, _LOOPED_ROWS)
    ours, theirs = [], []
    with TemporaryDirectory(prefix="dropmerge-bench-") as name:
        for _ in range(options.times):
            ours.append(_generate(Path(name), rows))
            theirs.append(_loop(Path(name), looped))
    return found(
        [
            Figure(f"{rows:,} rows", "python -m generator initial", "rows/s", ours),
            Figure(f"{looped:,} rows", "a plain loop of Faker calls", "rows/s", theirs),
            Figure("rows per row of the loop", "generator", "times", ratios(ours, theirs), at_least=_TIMES_FASTER),
        ]
    )


def _generate(folder: Path, rows: int) -> float:
    command = [sys.executable, "-m", "generator", "initial", "--rows", str(rows), "--force"]
    started = time.monotonic()
    subprocess.run(
        [*command, "--out", str(folder / "rows.csv")],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return rows / (time.monotonic() - started)


def _loop(folder: Path, rows: int) -> float:
    faker = Faker()
    started = time.monotonic()
    with (folder / "loop.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        for _ in range(rows):
            writer.writerow(
                [
                    faker.last_name(),
                    faker.numerify("##########"),
                    faker.random_int(300, 850),
                    faker.pydecimal(left_digits=5, right_digits=2),
                    faker.date_time_this_year().isoformat() + "Z",
                ]
            )
    return rows / (time.monotonic() - started)
