"""Many small files dropped at once: seconds until all are merged, and by how many MERGEs."""

from __future__ import annotations

import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import Pipeline
from tests.programs.bench.drops import drop_small
from tests.programs.bench.figures import Figure, Found, found
from tests.programs.bench.merged import wait_until_merged
from tests.programs.bench.options import Options

_PAUSE = 0.5
"""Asked more often, Pub/Sub and who asks it take a tenth of a core from what is measured."""
_SECONDS = {500: 45.0, 2000: 180.0}
"""The most for so many files."""


def measure(options: Options) -> Found:
    """With 500 files, and unless it is quick with 2,000."""
    sizes = [options.pick(500, 40)]
    if not options.quick and options.size is None:
        sizes.append(2000)
    figures, is_right = [], True
    for files in sizes:
        runs = [_burst(files) for _ in range(options.times)]
        what = f"{files:,} files at once"
        figures += [
            Figure(
                f"{what}: until all are merged",
                "dropmerge",
                "s",
                [run[0] for run in runs],
                at_most=_SECONDS.get(files),
            ),
            Figure(
                f"{what}: merged by",
                "dropmerge",
                "MERGEs",
                [run[1] for run in runs],
                at_most=math.ceil(math.sqrt(files)) - 1,
            ),
        ]
        is_right = is_right and all(run[2] for run in runs)
    return found(figures, is_right)


def _burst(files: int) -> tuple[float, int, bool]:
    """Seconds, MERGEs, and whether each row is there with its value."""
    with TemporaryDirectory(prefix="dropmerge-bench-") as name:
        folder = Path(name)
        with running(folder, write_feeds(folder / "feeds")) as pipeline:
            return _drop(pipeline, files)


def _drop(pipeline: Pipeline, files: int) -> tuple[float, int, bool]:
    wanted = {f"b-{n}": 300 + n % 500 for n in range(files)}
    started = time.monotonic()
    drop_small(pipeline, wanted)
    wait_until_merged(pipeline, _PAUSE)
    seconds = time.monotonic() - started
    merges = list(pipeline.connection.rows("SELECT DISTINCT merge_id FROM `ops.ledger` WHERE feed = 'accounts'"))
    return seconds, len(merges), pipeline.scores(list(wanted)) == wanted
