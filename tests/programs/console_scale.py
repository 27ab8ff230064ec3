"""How long commands take where much is kept: `python -m tests.programs.console_scale --objects 100000`.

It fills a local cloud with objects, and with what the services would have written of as many merged loads: the
journal's events and the ledger's entries, evenly over some days. Then it runs each command several times, in a process
of its own as a person's shell does, and prints the median and the longest of the seconds as JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.cloud.bigquery import LoadJobConfig, SourceFormat

from dropmerge.operations.adopt import entries_of
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.tables import table
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.feeds import write_feeds_of_folders
from tests.harness.objects import put_objects
from tests.harness.pipeline import HEADER, Pipeline, row

_FEED = "accounts"
_EVENTS = ("arrived", "pinned", "loaded", "checked", "staged")
_GROUP = 20


@dataclass(frozen=True)
class Filled:
    """A cloud with many loads."""

    pipeline: Pipeline
    loads: Sequence[Load]


def fill(pipeline: Pipeline, objects: int, days: float, is_flat: bool = False) -> Filled:
    """Objects in the landing bucket, each merged, the last some minutes ago. `is_flat`: in one folder, and not in one
    for each day."""
    folder = _folder(is_flat)
    loads = list(_loads(objects, days, folder))
    first = _drop_first(pipeline, folder)
    put_objects(pipeline, first, (load.source for load in loads))
    _write(pipeline, loads)
    return Filled(pipeline, loads)


def fill_tables(pipeline: Pipeline, files: int, days: float) -> Filled:
    """As `fill`, but for the objects: of who asks only the tables."""
    _drop_first(pipeline, _folder(is_flat=False))
    loads = list(_loads(files, days, _folder(is_flat=False)))
    _write(pipeline, loads)
    return Filled(pipeline, loads)


def _folder(is_flat: bool) -> str:
    return "" if is_flat else "%Y/%m/%d/"


def _drop_first(pipeline: Pipeline, folder: str) -> str:
    """A file that is merged as any: the main table is there."""
    first = pipeline.drop(f"{datetime.now(UTC).strftime(folder)}first.csv", HEADER + row("first"))
    pipeline.wait_until_idle()
    return first


def _write(pipeline: Pipeline, loads: Sequence[Load]) -> None:
    (entry,) = entries_of(pipeline.connection, pipeline.connection.feeds[_FEED])
    append(pipeline, "ledger", _ledger(loads, entry.table_id))
    append(pipeline, "journal", _journal(loads))


def _loads(objects: int, days: float, folder: str) -> Iterator[Load]:
    end = datetime.now(UTC) - timedelta(minutes=15)
    for number in range(objects):
        at = end - timedelta(days=days) * (1 - number / objects)
        name = f"incoming/{_FEED}/{at.strftime(folder)}file-{number:07d}.csv"
        yield Load(_FEED, ObjectGeneration("landing", name, int(at.timestamp() * 1e6)))


def _ledger(loads: Sequence[Load], table_id: str) -> Iterator[Mapping[str, Any]]:
    for number, load in enumerate(loads):
        yield {
            "feed": load.feed,
            "load_id": load.load_id,
            "merged_at": _after(load, 20),
            "merge_id": f"merge-{number // _GROUP}",
            "table_id": table_id,
            "generation": load.source.generation,
        }


def _journal(loads: Sequence[Load]) -> Iterator[Mapping[str, Any]]:
    details: Mapping[str, Mapping[str, Any]] = {
        "pinned": {"size": 90, "md5": "x"},
        "checked": {"rows": 1, "rejected_rows": 0, "lost_in_file": 0},
    }
    for load in loads:
        for number, event in enumerate(_EVENTS):
            yield _event(load, event, "ingest", number, details.get(event, {}))
    for start in range(0, len(loads), _GROUP):
        group = loads[start : start + _GROUP]
        merged = {"merge_id": f"merge-{start // _GROUP}", "loads": [load.load_id for load in group]}
        yield _event(group[-1], "merged", "merge", 20, merged)


def _event(load: Load, event: str, service: str, seconds: int, detail: Mapping[str, Any]) -> Mapping[str, Any]:
    at = {"happened_at": _after(load, seconds), "event": event, "service": service}
    return {**at, **load.fields, "detail": json.dumps(detail)}


def _after(load: Load, seconds: int) -> str:
    return (load.source.created + timedelta(seconds=seconds)).isoformat()


def append(pipeline: Pipeline, name: str, rows: Iterator[Mapping[str, Any]]) -> None:
    """Rows of a table of ours, by a load job: what is streamed in is slower by far."""
    uri = f"gs://archive/{name}.ndjson"
    with (pipeline.cloud.state / "bucket" / "archive" / f"{name}.ndjson").open("w") as file:
        file.writelines(json.dumps(one) + "\n" for one in rows)
    target = table("local", name)
    config = LoadJobConfig(
        source_format=SourceFormat.NEWLINE_DELIMITED_JSON, schema=target.schema, write_disposition="WRITE_APPEND"
    )
    pipeline.connection.warehouse.client.load_table_from_uri(uri, target.reference, job_config=config).result()
    (pipeline.cloud.state / "bucket" / "archive" / f"{name}.ndjson").unlink()


def commands_of(filled: Filled) -> Mapping[str, Sequence[str]]:
    """What a person types, by what it is called in the answer."""
    one = filled.loads[len(filled.loads) // 2].source
    return {
        "status": ["status"],
        "status --json": ["status", "--json"],
        "wait": ["wait", "--timeout", "60"],
        "explain gs://FILE": ["explain", one.uri],
        "explain FILE": ["explain", one.name.rpartition("/")[2]],
        "history": ["history"],
        "doctor": ["doctor"],
    }


def measure(filled: Filled, times: int, only: Sequence[str] = ()) -> dict[str, dict[str, float]]:
    """By command the median and the longest of its seconds, and how often it did not end with exit code 0. `only`:
    these, if any."""
    commands, found = Commands.of(filled.pipeline), {}
    for what, words in commands_of(filled).items():
        if only and what not in only:
            continue
        runs = [_run(commands, words) for _ in range(times)]
        seconds = [taken for taken, _ in runs]
        found[what] = {
            "median": round(statistics.median(seconds), 2),
            "worst": round(max(seconds), 2),
            "failed": sum(code != 0 for _, code in runs),
        }
    return found


def _run(commands: Commands, words: Sequence[str]) -> tuple[float, int]:
    """Seconds and exit code. Why it failed is on stderr."""
    started = time.monotonic()
    with commands.start(*words, stdout=subprocess.DEVNULL) as process:
        code = process.wait()
    return time.monotonic() - started, code


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--days", type=float, default=10, help="how long ago the first was dropped")
    parser.add_argument("--flat", action="store_true", help="all in one folder, and not in one for each day")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder, write_feeds_of_folders(folder / "feeds")) as pipeline:
            filled = fill(pipeline, given.objects, given.days, given.flat)
            print(json.dumps({"objects": given.objects, "seconds": measure(filled, given.times)}, indent=2))


if __name__ == "__main__":
    main()
