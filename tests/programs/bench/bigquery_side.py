"""What a file costs on BigQuery's side: `python -m tests.programs.bench.bigquery_side [--quick] [--json FILE]`.

Jobs and calls that a file and a group of loads take, and the bytes that BigQuery bills for them as the main table
grows, all counted at the proxies between the services and the local cloud. Prints the section of the report.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.costs import GIB, MIB, QUERY_TIB, TIB
from tests.harness.faults.cloud import faulty_cloud
from tests.harness.feeds import write_feeds
from tests.harness.statements.feeds import write_features
from tests.programs.bench.bytes_per_file import measure_bytes
from tests.programs.bench.calls_per_file import FEEDS, count_calls

_BUDGET = 540.0
_GROUPS = {True: (1, 5), False: (1, 5, 50)}
"""Files in a MERGE."""
_ROWS = {True: (10_000, 100_000), False: (10_000, 100_000, 1_000_000)}
"""Of main tables."""
_EVERY = {True: 75.0, False: 300.0}
"""Seconds between MERGEs, in which so many files come together as one group is to have."""

Found = dict[str, Any]


def measure(quick: bool) -> Found:
    """Figures of both, from a local cloud of its own: one or two minutes if `quick`, else five to ten."""
    return count_both(list(FEEDS), _GROUPS[quick], _ROWS[quick], _EVERY[quick])


def count_both(feeds: Sequence[str], groups: Sequence[int], rows: Sequence[int], merge_every: float) -> Found:
    """Of groups of so many files of these feeds, and of main tables of so many rows with a MERGE at most every so many
    seconds."""
    with tempfile.TemporaryDirectory(prefix="dropmerge-bench-") as name:
        folder = Path(name)
        contracts = write_feeds(folder / "feeds")
        write_features(contracts)
        with faulty_cloud(folder, contracts, _BUDGET) as faulty:
            # First, while the table of accounts has no row but these.
            billed = measure_bytes(faulty, rows, merge_every)
            return {"calls": count_calls(faulty, feeds, groups), "bytes": billed}


def section(found: Mapping[str, Any]) -> str:
    """The section of the report, in Markdown."""
    billed = found["bytes"]
    every = f"{billed['merge_every'] / 60:g} min"
    return f"""#### Jobs and calls

Counted at the proxies between the services and the local cloud, of a process that has seen the feed before. The local
warehouse has done a job when it answers that it has started; BigQuery is asked again until a job is done, and each
such call comes on top. Ingest's figures are those of one file, merge's those of the whole group.

{_table(_CALLS, _rows_of_calls(found["calls"]))}

#### Bytes billed

**Measured**: the statements that passed the proxy, what Google's own analyser says that each reads, and the sizes of
those columns in the tables as they were when the job began. BigQuery's rules for on-demand queries (with their sources
in `tests/programs/bench/on_demand.py`) make of that what it bills: 10 MiB at least for each table that a statement
reads, whole MiB, all columns of the table that a MERGE changes, and of that only what lies between the bounds of the
keys. No bill was read: there is no BigQuery in it. Files have {billed["rows_of_a_file"]} rows. Random keys are those
of any rows in the table; ordered keys are larger than all that it has. The model's figure is that of `deploy/costs.py`
for the same table, files and share.

{_table(_MEASURED, _rows_of_measured(billed["measured"]))}

**Computed** by the model of `docs/costs.md` (`deploy/costs.py`), with the share of the table that was measured and a
file every {86_400 // billed["files_a_day"]} s ({billed["files_a_day"]:,} per day): at once each has a MERGE of its
own, and with a MERGE at most every {every} {billed["merge_every"] * billed["files_a_day"] / 86_400:.0f} share one. The
ledger has a month of files.

{_table(_COMPUTED, _rows_of_computed(billed["computed"], every))}

For ordered keys this is the least that BigQuery bills: it skips
[whole blocks](https://cloud.google.com/bigquery/docs/clustered-tables) and does not say how large they are. Others
measured 84 MB of 543 MB for keys that lie together ([ingestr](https://github.com/bruin-data/ingestr/pull/943)). What
it really was is `merge_bytes_billed` in `ops.loads`.

![Bytes billed per file against the size of the main table](performance/bytes_per_file.svg)
"""


_CALLS = (
    *("feed", "files", "query and load jobs per file, ingest", "calls per file, ingest", "query jobs, merge"),
    *("calls, merge", "MERGEs", "query jobs per file, both", "calls per file, both"),
)
_MEASURED = (
    *("main table, rows", "size", "keys", "files in a MERGE", "rows read of it", "billed of it, MiB"),
    *("billed per MERGE, MiB", "billed per file with ingest, MiB", "the model's, MiB"),
)
_COMPUTED = ("main table", "keys", "a MERGE at most every", "billed per file", "billed per day", "dollars per day")


def _table(head: Sequence[str], rows: Iterator[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---:|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def _rows_of_calls(calls: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    for one in calls:
        group, ingest, merge = one["group"], one["ingest"], one["merge"]
        yield (
            *(FEEDS[one["feed"]], group),
            f"{_number(ingest['query_jobs'] / group)} + {_number(ingest['load_jobs'] / group)}",
            _number(ingest["calls"] / group),
            *(merge["query_jobs"], merge["calls"], merge["merges"]),
            *(_number((ingest[what] + merge[what]) / group) for what in ("query_jobs", "calls")),
        )


def _rows_of_measured(measured: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    for one in measured:
        yield (
            *(f"{one['rows']:,}", _size(one["main_bytes"]), one["keys"], one["group"], f"{one['share_read']:.1%}"),
            *(_number(one[what] / MIB) for what in ("main_billed", "billed_by_merge", "billed_per_file")),
            _number(one["model_per_file"] / MIB),
        )


def _rows_of_computed(computed: Sequence[Mapping[str, Any]], every: str) -> Iterator[Sequence[object]]:
    for one in computed:
        if one["main_bytes"] in (GIB, 10 * GIB, 100 * GIB):
            day = one["billed_per_day"]
            yield (
                *(_size(one["main_bytes"]), one["keys"], every if one["merge_every"] else "at once"),
                *(_size(one["billed_per_file"]), _size(day), f"{day / TIB * QUERY_TIB:,.2f}"),
            )


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _size(size: float) -> str:
    unit, name = next(((one, name) for one, name in ((TIB, "TiB"), (GIB, "GiB")) if size >= one), (MIB, "MiB"))
    return f"{size / unit:,.1f} {name}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the section; writes the figures where they are wanted."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.bench.bigquery_side", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller tables and groups")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args(arguments)
    found = measure(given.quick)
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(section(found))


if __name__ == "__main__":
    main()
