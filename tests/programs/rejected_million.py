"""A file whose rows are all rejected, listed, written and sent in again: `python -m tests.programs.rejected_million`.

Each command is timed, with its peak resident memory. Exits 1 where a row is lost, doubled or has another's number, or
a command's memory grows with the file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import typer

from deploy.topology import ROOT
from tests.harness.cloud import running
from tests.harness.feeds import REJECTS
from tests.harness.pipeline import Pipeline

Run = Callable[[Path, int, tuple[str, ...]], None]
"""Runs a command, which has to end with this exit code, its output in a file."""

_MOST_MEMORY = 200
"""Megabytes."""
_PATIENCE = 3600.0


def check(pipeline: Pipeline, run: Run, folder: Path, rows: int) -> None:
    """Drop a file of so many rows and do with them all that can be done."""
    lines = [f"{number},{number % 7},x{number // 2}\n" for number in range(rows)]
    pipeline.drop("rejects.csv", "n,v,w\n" + "".join(lines), "rejects")
    pipeline.wait_until_idle(_PATIENCE)
    of_feed = ("--feed", "rejects")
    run(folder / "table", 0, ("rejected", *of_feed))
    assert f"and {rows - 20} more" in (folder / "table").read_text()
    run(folder / "json", 0, ("rejected", *of_feed, "--json"))
    _hold_against(folder / "json", '"record": ', range(1, rows + 1))
    run(folder / "csv", 0, ("rejected", *of_feed, "--csv", str(folder / "bad.csv")))
    with (folder / "bad.csv").open() as written:
        assert next(written) == "n,v,w\n"
        assert all(one == line for one, line in zip(written, lines, strict=True))
    run(folder / "resubmit", 1, ("rejected", "resubmit", *of_feed, "--yes", "--timeout", "3600"))
    assert f"{rows} failed again" in (folder / "resubmit").read_text()
    (counted,) = pipeline.connection.rows(
        "SELECT COUNT(DISTINCT object) AS objects, COUNT(*) AS n FROM `ops.rejected_rows` WHERE feed = 'rejects'"
    )
    assert (counted["objects"], counted["n"]) == (1, rows)


def _hold_against(file: Path, key: str, numbers: range) -> None:
    with file.open() as lines:
        found = (int(re.sub("[^0-9]", "", line)) for line in lines if line.strip().startswith(key))
        assert all(one == number for one, number in zip(found, numbers, strict=True))


def main(rows: int = 1_000_000) -> None:
    """In a local cloud of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "feeds").mkdir()
        (folder / "feeds" / "rejects.yaml").write_text(REJECTS)
        with running(folder, folder / "feeds") as pipeline:
            started = time.monotonic()

            def run(output: Path, code: int, words: tuple[str, ...]) -> None:
                _run(pipeline, folder / "feeds", output, code, words)

            check(pipeline, run, folder, rows)
            typer.echo(
                f"{rows} rejected rows: each was listed, written and sent in again; {time.monotonic() - started:.0f} s"
            )


def _run(pipeline: Pipeline, feeds: Path, output: Path, code: int, words: tuple[str, ...]) -> None:
    started = time.monotonic()
    line = [sys.executable, "-c", _MEASURED, *words, "--state", str(pipeline.cloud.state), "--feeds", str(feeds)]
    with output.open("w") as file:
        done = subprocess.run(line, cwd=ROOT, env=dict(os.environ), stdout=file, check=False)
    assert done.returncode == code, output.read_text()[-2000:]
    with output.open("rb") as file:
        file.seek(-20, os.SEEK_END)
        peak = int(file.read().rpartition(b"\n")[2]) // 1024
    typer.echo(f"{' '.join(words[:4]):40} {time.monotonic() - started:6.1f} s, peak {peak} MB")
    assert peak < _MOST_MEMORY, f"more than {_MOST_MEMORY} MB"


# Linux only. What getrusage() tells begins with the peak of the process that started this one.
_MEASURED = """
import atexit, re
from pathlib import Path
peak = lambda: re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
atexit.register(lambda: print("\\n" + peak(), end=""))
from dropmerge.__main__ import main
main()
"""

if __name__ == "__main__":
    typer.run(main)
