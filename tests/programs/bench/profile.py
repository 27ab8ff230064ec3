"""Where the time goes: by step of a file, by process of the local cloud, and by part of a process.

Many small files are dropped at once, and then one large file: in a local cloud that nobody looks into, and in another
whose processes are sampled, which makes them slower. Only the shares of the parts are of the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.programs.bench.data import make
from tests.programs.bench.drops import drop_large, drop_small
from tests.programs.bench.figures import Found, found
from tests.programs.bench.merged import wait_until_merged
from tests.programs.bench.options import Options
from tests.programs.bench.parts import DUCKDB, PARTS, THE_REST, shares, with_threads
from tests.programs.bench.sampler import sampled
from tests.programs.bench.steps import STEPS, seconds_by_step
from tests.programs.bench.tables import table

PROCESSES = {"ingest": "ingest", "merge": "merge", "warehouse": "warehouse", "bus": "Pub/Sub", "bucket": "bucket"}
"""By part of the local cloud, its name for people."""
_MILLION = 1_000_000
_PAUSE = 0.5
"""So rarely asked, Pub/Sub takes next to no time for its answers."""
_HOW = (
    "The shares are those of a second run's samples. DuckDB's own threads are in no sample: "
    "their share of the CPU time is added to DuckDB's."
)
_WITHOUT = "The parts are left out: py-spy is not installed, or may not attach to a process."

Drop = Callable[[Pipeline], list[str]]
"""Uploads files, and returns them as gs://bucket/object#generation."""
Measure = Callable[[Pipeline, Drop], Found]


def measure(options: Options) -> Found:
    """By workload: `steps` in seconds, `cpu` in seconds by process, `main_thread` in seconds of the warehouse, and
    `shares` by process and part, or None."""
    files, rows = options.pick(100, 20), options.pick(_MILLION, _MILLION // 10)
    scores = {f"small-{number}": 300 + number % 500 for number in range(files)}
    with TemporaryDirectory(prefix="dropmerge-bench-") as name:
        folder = Path(name)
        made = make(folder, rows)
        drops: dict[str, Drop] = {
            f"{files:,} small files": partial(drop_small, scores=scores),
            f"one of {made.rows:,} rows": lambda pipeline: [drop_large(pipeline, made.initial)],
        }
        times, is_right = _run(folder / "times", drops, _take_times, scores)
        samples, is_right_again = _run(folder / "samples", drops, _take_samples, scores)
    workloads = {what: times[what] | _with_duckdb_s_threads(samples[what], times[what]) for what in drops}
    return found([], is_right and is_right_again, workloads=workloads)


def section(now: Found, _: Found | None) -> str:
    """A table of the steps, and one of the processes and their parts."""
    workloads = now["workloads"]
    steps = table(("step of a file", "until", *workloads), _step_rows(list(workloads.values())))
    parts = table(("process", "part", *workloads), _part_rows(list(workloads.values())))
    how = _HOW if _has_shares(workloads.values()) else _WITHOUT
    return (
        f"Time by the clock, the mean of all files:\n\n{steps}\n"
        f"CPU time of each process, and the shares of its parts:\n\n{parts}\n{how}\n"
    )


def _run(
    folder: Path, drops: Mapping[str, Drop], take: Measure, scores: Mapping[str, int]
) -> tuple[dict[str, Found], bool]:
    """Each workload in one local cloud, and whether the small files' rows are there."""
    folder.mkdir()
    with running(folder, write_feeds(folder / "feeds")) as pipeline:
        pipeline.drop("first.csv", HEADER + row("first"))
        pipeline.wait_until_idle()
        taken = {what: take(pipeline, drop) for what, drop in drops.items()}
        return taken, pipeline.scores(list(scores)) == scores


def _take_times(pipeline: Pipeline, drop: Drop) -> Found:
    pids = _pids(pipeline)
    before, main_before = _cpu_seconds(pids), _main_thread_seconds(pids["warehouse"])
    uris = drop(pipeline)
    wait_until_merged(pipeline, _PAUSE)
    after, main_after = _cpu_seconds(pids), _main_thread_seconds(pids["warehouse"])
    pipeline.wait_until_idle()
    return {
        "steps": seconds_by_step(pipeline, [pipeline.load_id(uri) for uri in uris]),
        "cpu": {process: after[process] - before[process] for process in pids},
        "main_thread": main_after - main_before,
    }


def _take_samples(pipeline: Pipeline, drop: Drop) -> Found:
    def work() -> None:
        drop(pipeline)
        wait_until_merged(pipeline, _PAUSE)

    pids = _pids(pipeline)
    samples = sampled({process: pids[process] for process in PARTS}, work)
    pipeline.wait_until_idle()
    return {"shares": samples and {process: shares(samples[process], parts) for process, parts in PARTS.items()}}


def _pids(pipeline: Pipeline) -> dict[str, int]:
    variables = pipeline.cloud.read()
    return {process: int(variables[f"DROPMERGE_{process.upper()}_PID"]) for process in PROCESSES}


def _cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Of each process with its children."""
    return {name: sum(map(_own_seconds, _family(pid))) for name, pid in pids.items()}


def _family(pid: int) -> list[psutil.Process]:
    master = psutil.Process(pid)
    return [master, *master.children(recursive=True)]


def _own_seconds(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


def _main_thread_seconds(pid: int) -> float:
    """The warehouse's other threads are DuckDB's, and some that wait."""
    (main,) = [one for one in psutil.Process(pid).threads() if one.id == pid]
    return float(main.user_time + main.system_time)


def _with_duckdb_s_threads(samples: Found, times: Found) -> Found:
    all_threads = times["cpu"]["warehouse"]
    if not samples["shares"] or not all_threads:
        return samples
    in_warehouse = with_threads(samples["shares"]["warehouse"], DUCKDB, 1 - times["main_thread"] / all_threads)
    return {"shares": {**samples["shares"], "warehouse": in_warehouse}}


def _step_rows(workloads: Sequence[Found]) -> Iterator[Sequence[str]]:
    for step, until in STEPS.items():
        yield step, until, *(_time(one["steps"][step]) for one in workloads)
    yield "together", "", *(_time(sum(one["steps"].values())) for one in workloads)


def _part_rows(workloads: Sequence[Found]) -> Iterator[Sequence[str]]:
    for process, name in PROCESSES.items():
        yield name, "all of it", *(f"**{_time(one['cpu'][process])}**" for one in workloads)
        if process in PARTS and _has_shares(workloads):
            for part in (*PARTS[process], THE_REST):
                yield name, part, *(_share(one["shares"][process], part) for one in workloads)


def _has_shares(workloads: Iterable[Found]) -> bool:
    return all(one["shares"] for one in workloads)


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _share(parts: Mapping[str, float], part: str) -> str:
    """Without a sample the process was not busy at all."""
    return f"{parts[part]:.0%}" if parts else "-"
