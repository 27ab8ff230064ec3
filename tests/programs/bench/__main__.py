"""What a burst of small files and one large file cost on this machine: `python -m tests.programs.bench`.

Exits 1 when the burst took more MERGEs than one for twenty files, or a table is not the expected one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from deploy.topology import ROOT
from dropmerge.demo import expected_rows
from tests.harness.faults.cloud import Faulty, faulty_cloud
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, row

_BUDGET = 540.0
_PATIENCE = 1800.0
_FILES_A_MERGE = 20

Figures = dict[str, float | int | str]


def burst(faulty: Faulty, files: int) -> Figures:
    """Files of one row each, dropped at once."""
    pipeline, started = faulty.pipeline, time.monotonic()
    with ThreadPoolExecutor(8) as drop:
        list(drop.map(lambda n: pipeline.drop(f"b-{n}.csv", HEADER + row(f"b-{n}", 300 + n % 500)), range(files)))
    pipeline.wait_until_idle(_PATIENCE)
    seconds = time.monotonic() - started
    right = pipeline.scores([f"b-{n}" for n in range(files)]) == {f"b-{n}": 300 + n % 500 for n in range(files)}
    merges = faulty.script.seen["merge"]
    return {"files": files, "MERGEs": merges, "seconds": round(seconds, 1), "table is as expected": str(right)}


def large(faulty: Faulty, folder: Path, rows: int) -> Figures:
    """One file; seconds from the drop to the main table, and the functions' peak resident memory in MB."""
    pipeline, file, expected = faulty.pipeline, folder / "large.csv", folder / "expected.csv"
    words = ["initial", "--rows", str(rows), "--seed", "5", "--out", str(file), "--expect", str(expected)]
    subprocess.run([sys.executable, "-m", "generator", *words], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    started = time.monotonic()
    blob = pipeline.connection.storage.bucket("landing").blob("incoming/accounts/large.csv")
    blob.upload_from_filename(str(file), timeout=600)
    pipeline.wait_until_idle(_PATIENCE)
    seconds = time.monotonic() - started
    feed = pipeline.connection.feed("accounts")
    wanted = set(expected_rows(expected, feed))
    found = {
        tuple(one[column.name] for column in feed.columns)
        for one in pipeline.connection.warehouse.client.list_rows("local.main.accounts")
        if not one["_deleted"] and not one["customer_id"].startswith("b-")
    }
    return {
        "rows": rows,
        "MB": round(file.stat().st_size / 1e6),
        "seconds": round(seconds, 1),
        "rows per second": round(rows / seconds),
        "ingest's peak MB": _peak_mb(pipeline.cloud.read()["DROPMERGE_INGEST_PID"]),
        "merge's peak MB": _peak_mb(pipeline.cloud.read()["DROPMERGE_MERGE_PID"]),
        "table is as expected": str(found == wanted),
    }


def _peak_mb(pid: str) -> int:
    """Of the largest process of a part."""
    master = psutil.Process(int(pid))
    peaks = []
    for process in [master, *master.children(recursive=True)]:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        peaks += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return round(max(peaks, default=0) / 1024)


def main(
    files: Annotated[int, typer.Option(min=1, help="Small files dropped at once.")] = 500,
    rows: Annotated[int, typer.Option(min=1, help="Rows of the large file.")] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Time the pipeline on the local cloud."""
    figures: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="dropmerge-bench-") as name, Console(stderr=True).status("") as line:
        folder = Path(name)
        with faulty_cloud(folder, write_feeds(folder / "feeds"), _BUDGET) as faulty:
            line.update(f"{files} small files")
            figures["burst"] = burst(faulty, files)
            line.update(f"a file of {rows} rows")
            figures["large file"] = large(faulty, folder, rows)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        table = Table("what", "figure", "value")
        for what, values in figures.items():
            for figure, value in values.items():
                table.add_row(what, figure, str(value))
        Console().print(table)
    is_right = all(one["table is as expected"] == "True" for one in figures.values())
    if not is_right or int(figures["burst"]["MERGEs"]) > max(5, files // _FILES_A_MERGE):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
