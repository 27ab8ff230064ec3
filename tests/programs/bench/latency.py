"""One small file in an idle pipeline: seconds from its upload until it is merged, into a small and a large table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.programs.bench.contestants import DROPMERGE, PANDAS, pandas_function
from tests.programs.bench.data import make
from tests.programs.bench.drops import drop_large
from tests.programs.bench.figures import Figure, Found, found
from tests.programs.bench.merged import wait_until_merged
from tests.programs.bench.options import Options

_MEDIAN_SECONDS, _SLOW_SECONDS = 0.8, 2.0
_SLOW = 0.99
_MILLION = 1_000_000


def measure(options: Options) -> Found:
    """Each file after the other is merged. The first of all, which makes the main table, is not counted."""
    rows, files = options.pick(_MILLION, _MILLION // 10), options.pick(100, 30)
    with TemporaryDirectory(prefix="dropmerge-bench-") as name:
        folder = Path(name)
        large = make(folder, rows).initial
        with running(folder, write_feeds(folder / "feeds")) as pipeline:
            seconds = dict(_each_in_turn(pipeline, folder, large, files, options.with_rivals))
            keys = [f"{part}-{number}" for part in ("small", "large") for number in range(files)]
            is_right = pipeline.scores(keys) == dict.fromkeys(keys, 700)
    return found([one for what, values in seconds.items() for one in _figures(*what, values)], is_right)


def _each_in_turn(
    pipeline: Pipeline, folder: Path, large: Path, files: int, with_rivals: bool
) -> Iterator[tuple[tuple[str, str], list[float]]]:
    def dropmerge(file: Path) -> None:
        pipeline.drop(file.name, file.read_bytes())
        wait_until_merged(pipeline)

    dropmerge(_small(folder, "first"))
    yield ("an empty table", DROPMERGE), _time(dropmerge, folder, "small", files)
    drop_large(pipeline, large)
    pipeline.wait_until_idle()
    rows = f"a table of {_count(pipeline):,} rows"
    yield (rows, DROPMERGE), _time(dropmerge, folder, "large", files)
    if with_rivals:
        with pandas_function(pipeline, folder) as rival:
            rival.merge(_small(folder, "first"))
            yield ("an empty table", PANDAS), _time(rival.merge, folder, "small", files)
            rival.merge(large)
            yield (rows, PANDAS), _time(rival.merge, folder, "large", files)


def _time(merge: Callable[[Path], object], folder: Path, name: str, files: int) -> list[float]:
    paths = [_small(folder, f"{name}-{number}") for number in range(files)]
    return [_seconds(merge, path) for path in paths]


def _seconds(merge: Callable[[Path], object], path: Path) -> float:
    started = time.monotonic()
    merge(path)
    return time.monotonic() - started


def _small(folder: Path, key: str) -> Path:
    """A file of one row."""
    path = folder / f"{key}.csv"
    path.write_text(HEADER + row(key))
    return path


def _count(pipeline: Pipeline) -> int:
    (counted,) = pipeline.connection.rows("SELECT COUNT(*) AS n FROM `main.accounts`")
    return int(counted["n"])


def _figures(table: str, who: str, seconds: list[float]) -> Iterator[Figure]:
    is_ours = who == DROPMERGE
    what = f"upload to merged, into {table}, {len(seconds)} files"
    yield Figure(f"{what}: p50", who, "s", seconds, at_most=_MEDIAN_SECONDS if is_ours else None)
    yield Figure(f"{what}: p99", who, "s", seconds, quantile=_SLOW, at_most=_SLOW_SECONDS if is_ours else None)
