"""How much memory the local warehouse takes as files and questions go by: `python -m tests.programs.bench_memory`.

Exits 1 unless its resident memory stays under 600 MB, is flat over the second half of the run, and the table is the
expected one.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from dropmerge.operations.loads.find_file import find_file
from dropmerge.operations.loads.history import read_history
from dropmerge.operations.status.read import Reader
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row

_MAX_MB = 600
_FLAT_MB = 50
_WAVES = 40
_PATIENCE = 1800.0
_SAMPLE_SECONDS = 0.5

Sample = tuple[float, int, int, float]
"""Seconds since the start, files dropped, questions asked, resident MB."""


class Warehouse:
    """Its resident memory, looked at twice a second."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self.most = 0.0

    def mb(self) -> float:
        now = self._process.memory_info().rss / 2**20
        self.most = max(self.most, now)
        return now

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_SAMPLE_SECONDS):
            self.mb()


def run(pipeline: Pipeline, files: int, calls: int, say: Console) -> tuple[list[Sample], float]:
    """Samples, one a wave of files and questions, and the most MB at any time."""
    warehouse = Warehouse(int(pipeline.cloud.read()["DROPMERGE_WAREHOUSE_PID"]))
    reader, started, samples = Reader(pipeline.connection), time.monotonic(), []
    dropped = asked = 0
    with warehouse.watched(), ThreadPoolExecutor(4) as pool:
        for wave in range(1, _WAVES + 1):
            numbers = range(dropped, files * wave // _WAVES)
            uris = list(pool.map(lambda n: pipeline.drop(f"m-{n}.csv", HEADER + row(f"m-{n}", _score(n))), numbers))
            dropped += len(uris)
            for _ in range(calls * wave // _WAVES - asked):
                reader.read(with_totals=True)
                asked += 1
            pipeline.wait_until_idle(_PATIENCE)
            for uri in uris[:2]:
                read_history(pipeline.connection, find_file(pipeline.connection, uri), with_jobs=True)
            sample = (time.monotonic() - started, dropped, asked, warehouse.mb())
            samples.append(sample)
            say.print("{:6.0f} s {:6} files {:6} calls {:8.0f} MB".format(*sample))
    return samples, warehouse.most


def growth(values: list[float]) -> float:
    """What the straight line through equally spaced values (least squares) rises by from the first to the last."""
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    spread = sum((x - middle) ** 2 for x in range(len(values)))
    slope = sum((x - middle) * (value - mean) for x, value in enumerate(values)) / spread
    return slope * (len(values) - 1)


def _score(number: int) -> int:
    return 300 + number % 500


def main(
    files: Annotated[int, typer.Option(min=_WAVES, help="Files of one row, dropped in forty waves.")] = 2000,
    calls: Annotated[int, typer.Option(min=_WAVES, help="Calls of status, beside the files.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure the local warehouse's resident memory."""
    with tempfile.TemporaryDirectory(prefix="dropmerge-bench-") as name:
        folder = Path(name)
        with running(folder, write_feeds(folder / "feeds")) as pipeline:
            samples, most = run(pipeline, files, calls, Console(stderr=True, highlight=False))
            keys = [f"m-{n}" for n in range(files)]
            is_right = pipeline.scores(keys) == {key: _score(n) for n, key in enumerate(keys)}
            on_disk = sum(
                path.stat().st_size for path in (folder / "state" / "warehouse").rglob("*") if path.is_file()
            )
    second = [sample[3] for sample in samples[len(samples) // 2 :]]
    figures = {
        "files": files,
        "status calls": calls,
        "seconds": round(samples[-1][0]),
        "warehouse's MB at the first sample": round(samples[0][3]),
        "in the middle": round(second[0]),
        "at the end": round(second[-1]),
        "at most": round(most),
        "growth over the second half, MB": round(growth(second), 1),
        "MB on disk": round(on_disk / 2**20),
        "table is as expected": str(is_right),
    }
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        table = Table("figure", "value")
        for figure, value in figures.items():
            table.add_row(figure, str(value))
        Console().print(table)
    if not is_right or most >= _MAX_MB or growth(second) >= _FLAT_MB:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
