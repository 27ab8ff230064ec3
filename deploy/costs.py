"""What the pipeline costs on Google Cloud, by a model: `python -m deploy.costs` prints the tables of docs/costs.md.

List prices in US dollars of a region of the cheapest tier, free allowances left out. Sources: the price pages of
BigQuery, Pub/Sub, Cloud Storage, Cloud Run and Cloud Logging (cloud.google.com/…/pricing).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields

from deploy import topology
from services.merge.statement import MAX_LOADS

MIB, GIB, TIB = 2**20, 2**30, 2**40
DAYS = 30
_DAY = 24 * 3600

QUERY_TIB = 6.25
QUERY_MINIMUM = 10 * MIB
"""Billed at least for each table that a statement reads."""
PUBSUB_TIB = 40.0
PUBSUB_MINIMUM = 1000
"""Bytes billed at least for each publish and each push."""
CLASS_A, CLASS_B = 0.005 / 1000, 0.0004 / 1000
"""An operation on a bucket: writes, reads."""
STORED_GIB = 0.02
"""Per month, in a bucket or a table alike."""
STREAMED_MIB = 0.01 / 200
STREAMED_MINIMUM = 1024
"""Bytes billed at least for each row."""
CPU_SECOND, GIB_SECOND, REQUEST = 0.000024, 0.0000025, 0.40 / 1e6
LOG_GIB = 0.50

# What the services do for one file, and for one MERGE.
INGEST_STATEMENTS = 3
"""Check, count, stage: each reads one table about as large as the file."""
LEDGER_ROW = 40
"""Bytes of feed and load id, which is what a MERGE reads of the ledger."""
INGEST_SECONDS, MERGE_SECONDS = 10.0, 15.0
"""Of one request, nearly all of which waits for BigQuery."""
OVERLAP = 8
"""Requests that an instance serves at a time while there is work: half of what it could, or less."""
MEMORY_GIB = 0.5
JOURNAL_ROWS = 5
LOG_BYTES = 3000
WRITES, READS = 2, 6
"""On buckets: the upload and the rewrite into the archive; existence, metadata, head, load."""

LOAD_JOBS_A_DAY = 100_000
"""Per project. https://cloud.google.com/bigquery/quotas#load_jobs"""


@dataclass(frozen=True)
class Workload:
    """Files that arrive evenly over the day, all for one feed."""

    files_a_day: int
    file_bytes: float
    main_bytes: float
    """Bytes of the main table. A MERGE reads between the least and the greatest key of its loads: here, all of it."""

    def group(self, grouped: bool) -> float:
        """Loads in one MERGE: those that arrived while the feed's previous MERGE ran, `MAX_LOADS` at most."""
        arrived = self.files_a_day / _DAY * MERGE_SECONDS
        return min(max(1.0, arrived), float(MAX_LOADS)) if grouped else 1.0


@dataclass(frozen=True)
class Bill:
    """Dollars per month."""

    merges: float
    checks: float
    storage: float
    messages: float
    functions: float
    journal: float
    logs: float

    @property
    def total(self) -> float:
        return sum(float(getattr(self, field.name)) for field in fields(self))


def billed_of_merge(
    main_bytes: float,
    file_bytes: float,
    group: float = 1,
    ledger_bytes: float = 0,
    versions_bytes: float | None = None,
) -> float:
    """Bytes billed for a MERGE of so many loads, each of a file of this size, that reads the whole main table.

    `versions_bytes`: of the table of versions where the feed keeps them, read as a whole too.
    """
    versions = 0 if versions_bytes is None else _billed(versions_bytes) + group * _billed(file_bytes)
    return (
        _billed(main_bytes)
        + 2 * group * _billed(file_bytes)  # for the bounds, then for the rows
        + versions
        + _billed(ledger_bytes)
        + 3 * QUERY_MINIMUM  # the lock taken and looked for, the ledger's lookup
    )


def bill(load: Workload, grouped: bool = True) -> Bill:
    """The bill of 30 days, with a month of files kept."""
    files, group = load.files_a_day * DAYS, load.group(grouped)
    merge_bytes = billed_of_merge(load.main_bytes, load.file_bytes, group, files * LEDGER_ROW)
    seconds = (INGEST_SECONDS + MERGE_SECONDS) / OVERLAP
    return Bill(
        merges=files / group * merge_bytes / TIB * QUERY_TIB,
        checks=files * INGEST_STATEMENTS * _billed(load.file_bytes) / TIB * QUERY_TIB,
        storage=(2 * files * load.file_bytes + load.main_bytes) / GIB * STORED_GIB
        + files * (WRITES * CLASS_A + READS * CLASS_B),
        messages=files * 2 * 2 * PUBSUB_MINIMUM / TIB * PUBSUB_TIB,
        functions=files * (seconds * (CPU_SECOND + MEMORY_GIB * GIB_SECOND) + 2 * REQUEST),
        journal=files * JOURNAL_ROWS * STREAMED_MINIMUM / MIB * STREAMED_MIB,
        logs=files * LOG_BYTES / GIB * LOG_GIB,
    )


def limits() -> dict[str, float]:
    """Each limit, in files per day of one feed."""
    ingest = topology.read().services["ingest"]
    return {
        f"one MERGE per feed at a time, one load in each ({MERGE_SECONDS:.0f} s)": _DAY / MERGE_SECONDS,
        "load jobs per project per day": LOAD_JOBS_A_DAY,
        f"one MERGE per feed at a time, {MAX_LOADS} loads in each": _DAY / MERGE_SECONDS * MAX_LOADS,
        f"{ingest['instances']} instances of ingest, {ingest['threads']} requests each": ingest["instances"]
        * ingest["threads"]
        * _DAY
        / INGEST_SECONDS,
    }


def _billed(size: float) -> float:
    return max(size, QUERY_MINIMUM)


WORKLOADS = (
    Workload(100, 10 * MIB, 10 * GIB),
    Workload(10_000, 1 * MIB, 100 * GIB),
    Workload(1_000_000, 100 * 1024, 100 * GIB),
)


def tables() -> str:
    """The tables of docs/costs.md, in Markdown."""
    names = [field.name for field in fields(Bill)]
    lines = [
        f"| files per day | size | main table | loads per MERGE | {' | '.join(names)} | dollars per month |",
        f"|{'---:|' * (len(names) + 5)}",
    ]
    for load in WORKLOADS:
        for grouped in (True, False):
            one = bill(load, grouped)
            cells = [
                f"{load.files_a_day:,}",
                f"{load.file_bytes / MIB:.1f} MiB",
                f"{load.main_bytes / GIB:.0f} GiB",
                f"{load.group(grouped):.1f}" if grouped else "1, always",
                *(_dollars(getattr(one, name)) for name in names),
                f"**{_dollars(one.total)}**",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| limit | files per day |", "|---|---:|"]
    lines += [f"| {name} | {files:,.0f} |" for name, files in sorted(limits().items(), key=lambda one: one[1])]
    return "\n".join(lines) + "\n"


def _dollars(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m deploy.costs", description="Print the tables of docs/costs.md."
    ).parse_args()
    print(tables(), end="")
