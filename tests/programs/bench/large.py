"""A large file into an empty table, and a later one into the table that it made: seconds from the drop to the table.

Every contestant gets the same two files, one after the other in one run, so that ratios compare the same machine.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.faults.cloud import faulty_cloud
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import Pipeline
from tests.programs.bench import by_hand
from tests.programs.bench.contestants import BY_HAND, DROPMERGE, DUCKDB, UNPACKED, contestants
from tests.programs.bench.data import Files, make
from tests.programs.bench.drops import upload
from tests.programs.bench.figures import Figure, Found, Wrong, add_up, found, ratios
from tests.programs.bench.options import Options
from tests.programs.bench.wrong_rows import as_wrong, load_expected

_BUDGET = 540.0
_MILLION = 1_000_000
_MOST_MB = 150
_TARGETS = {BY_HAND: 1.3, DUCKDB: 1.5, UNPACKED: None}
"""The most of dropmerge's seconds per second of another; None where they are compared only."""


@dataclass
class Measured:
    """With one size, of all its runs."""

    files: Files
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    """By part and contestant."""
    peaks: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: dict[str, Wrong] = field(default_factory=dict)
    """The worst of each contestant."""

    @property
    def what(self) -> str:
        return f"{self.files.rows:,} rows, then {self.files.incremental_rows:,}"


def measure(options: Options) -> Found:
    """With 1,000,000 rows, and unless it is quick with five times as many."""
    sizes = [options.pick(_MILLION, _MILLION // 10)]
    if not options.quick and options.size is None:
        sizes.append(5 * _MILLION)
    with TemporaryDirectory(prefix="dropmerge-bench-") as name:
        all_measured = [_measure(Path(name) / str(rows), rows, options) for rows in sizes]
    figures = [figure for one in all_measured for figure in _figures(one)]
    wrong = [wrong for one in all_measured for wrong in one.wrong.values()]
    return found(figures, all(one.total == 0 for one in wrong if one.who == DROPMERGE), wrong)


def _measure(folder: Path, rows: int, options: Options) -> Measured:
    folder.mkdir()
    measured = Measured(make(folder, rows))
    for _ in range(options.times):
        with TemporaryDirectory(dir=folder) as run:
            _run(Path(run), measured, options)
    return measured


def _run(folder: Path, measured: Measured, options: Options) -> None:
    """Once, in a local cloud of its own."""
    files, feeds = measured.files, write_feeds(folder / "feeds")
    by_hand.add_feed(feeds)
    with (
        faulty_cloud(folder, feeds, _BUDGET) as faulty,
        contestants(faulty, folder, files.expected, options.with_rivals) as all_of_them,
    ):
        _grow_bucket(faulty.pipeline, files.initial)
        for part, file in files.by_part.items():
            for one in all_of_them:
                started = time.monotonic()
                one.merge(file)
                measured.seconds[part, one.who].append(time.monotonic() - started)
        faulty.pipeline.wait_until_idle()
        load_expected(faulty.pipeline, files.expected)
        for one in all_of_them:
            for name, mb in one.peaks().items():
                measured.peaks[name].append(mb)
            compared, before = as_wrong(measured.what, one.who, one.compare()), measured.wrong.get(one.who)
            measured.wrong[one.who] = compared if before is None or compared.total > before.total else before


def _grow_bucket(pipeline: Pipeline, file: Path) -> None:
    """A local bucket that has held such a file takes the next one faster: whoever came first would pay for that."""
    upload(pipeline, "archive", f"bench/{file.name}", file).delete()


def _figures(measured: Measured) -> Iterator[Figure]:
    for (part, who), seconds in measured.seconds.items():
        rows = measured.files.rows if part == "initial" else measured.files.incremental_rows
        what = (
            f"{rows:,} rows into an empty table" if part == "initial" else f"then {rows:,} rows, late ones among them"
        )
        yield Figure(what, who, "s", seconds)
    for other, most in _TARGETS.items():
        if ("initial", other) in measured.seconds:
            compared = ratios(_total(measured, DROPMERGE), _total(measured, other))
            yield Figure(f"{measured.what}: dropmerge's seconds per second", other, "times", compared, at_most=most)
    for name, peaks in measured.peaks.items():
        most_mb = _MOST_MB if name.startswith(DROPMERGE) else None
        yield Figure(f"peak memory, {measured.what}", name, "MB", peaks, at_most=most_mb)


def _total(measured: Measured, who: str) -> list[float]:
    return add_up(measured.seconds["initial", who], measured.seconds["incremental", who])
