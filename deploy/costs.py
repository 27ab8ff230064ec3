"""What the pipeline costs on Google Cloud, by a model: `python -m deploy.costs` prints the tables of docs/costs.md;
with options, that of another workload.

List prices in US dollars of a region of the cheapest tier, free allowances left out. Sources: the price pages of
BigQuery, Pub/Sub, Cloud Storage, Cloud Run and Cloud Logging (cloud.google.com/…/pricing).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from deploy import topology
from services.merge.statement import MAX_LOADS
from services.shared.contract.merge_every import LONGEST
from services.shared.contract.sizes import parse_bytes

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
INGEST_STATEMENTS = 2
"""Check, count: each reads one table about as large as the file. A file without refused rows is staged by a rename."""
LEDGER_ROW = 66
"""Bytes of feed, load id and the main table's id, which is what a MERGE reads of the ledger."""
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
QUERY_TIB_A_DAY = 200
"""What a new project may query on demand, until it asks for more: QueryUsagePerDay, by BigQuery's release notes of
October 2025. https://cloud.google.com/bigquery/docs/release-notes"""

# Capacity in place of bytes: a reservation for merge's jobs, which scales by itself.
SLOT_HOUR = 0.04
"""Of the Standard edition. https://cloud.google.com/bigquery/pricing#capacity_compute_analysis_pricing"""
SLOT_SECONDS_GIB = 100.0
"""For each GiB that a MERGE reads: assumed, from 30 to 100; `merge_slot_ms` of ops.loads has what it really was."""
SLOTS_AT_LEAST, SECONDS_AT_LEAST = 50, 60
"""Slots come by 50 and are billed for a minute at least.
https://cloud.google.com/bigquery/docs/slots-autoscaling-intro"""


@dataclass(frozen=True)
class Workload:
    """Files that arrive evenly over the day, all for one feed."""

    files_a_day: int
    file_bytes: float
    main_bytes: float
    merge_every: float = 0.0
    """Seconds, as the contract's `merge_every`; 0: a MERGE begins when the one before has ended."""
    share_read: float = 1.0
    """Of the main table, what a MERGE reads: what is left between the bounds of its keys. Of random keys, all."""

    def group(self, grouped: bool = True) -> float:
        """Loads in one MERGE: those that arrived since the one before began, `MAX_LOADS` at most."""
        arrived = self.files_a_day / _DAY * max(self.merge_every, MERGE_SECONDS)
        return min(max(1.0, arrived), float(MAX_LOADS)) if grouped else 1.0

    def merges_a_day(self, grouped: bool = True) -> float:
        return self.files_a_day / self.group(grouped)


@dataclass(frozen=True)
class Bill:
    """Dollars per month."""

    merges: float
    merges_by_slots: float
    """In place of `merges`, with a reservation for merge's jobs."""
    checks: float
    storage: float
    messages: float
    functions: float
    journal: float
    logs: float

    @property
    def rest(self) -> float:
        """All but the MERGEs."""
        return self.checks + self.storage + self.messages + self.functions + self.journal + self.logs

    @property
    def total(self) -> float:
        return self.merges + self.rest

    @property
    def total_by_slots(self) -> float:
        return self.merges_by_slots + self.rest


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
        + 2 * _billed(ledger_bytes)  # for what it has, then in the statement that adds to it
        + 3 * QUERY_MINIMUM  # the lock taken and looked for, the main table's entry
    )


def bytes_of_merge(load: Workload, grouped: bool = True) -> float:
    """Bytes billed for one MERGE of a workload, after a month."""
    ledger = load.files_a_day * DAYS * LEDGER_ROW
    return billed_of_merge(load.main_bytes * load.share_read, load.file_bytes, load.group(grouped), ledger)


def tib_a_day(load: Workload, grouped: bool = True) -> float:
    """What a workload's MERGEs query."""
    return load.merges_a_day(grouped) * bytes_of_merge(load, grouped) / TIB


def bill(load: Workload, grouped: bool = True) -> Bill:
    """The bill of 30 days, with a month of files kept."""
    files, merges = load.files_a_day * DAYS, load.merges_a_day(grouped) * DAYS
    return Bill(
        merges=tib_a_day(load, grouped) * DAYS * QUERY_TIB,
        merges_by_slots=merges * _slot_seconds(bytes_of_merge(load, grouped)) / 3600 * SLOT_HOUR,
        checks=files * INGEST_STATEMENTS * _billed(load.file_bytes) / TIB * QUERY_TIB,
        storage=(2 * files * load.file_bytes + load.main_bytes) / GIB * STORED_GIB
        + files * (WRITES * CLASS_A + READS * CLASS_B),
        messages=files * 2 * 2 * PUBSUB_MINIMUM / TIB * PUBSUB_TIB,
        functions=_busy_seconds(load, grouped) * (CPU_SECOND + MEMORY_GIB * GIB_SECOND) + files * 2 * REQUEST,
        journal=files * JOURNAL_ROWS * STREAMED_MINIMUM / MIB * STREAMED_MIB,
        logs=files * LOG_BYTES / GIB * LOG_GIB,
    )


def _slot_seconds(billed: float) -> float:
    return max(billed / GIB * SLOT_SECONDS_GIB, float(SLOTS_AT_LEAST * SECONDS_AT_LEAST))


def _busy_seconds(load: Workload, grouped: bool) -> float:
    """Seconds of instances in 30 days. The request that waits until a MERGE is due keeps one busy."""
    files = load.files_a_day * DAYS
    waiting = min(load.merges_a_day(grouped) * load.merge_every, float(_DAY)) * DAYS
    return files * INGEST_SECONDS / OVERLAP + max(files * MERGE_SECONDS / OVERLAP, waiting)


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
EVERY = (0.0, 60.0, 300.0, 420.0)
SHARES = (1.0, 0.1, 0.01)


def tables() -> str:
    """The tables of docs/costs.md, in Markdown."""
    parts = [
        [line for load in WORKLOADS for line in _rows(load, EVERY)],
        [_row_of_share(replace(WORKLOADS[1], merge_every=every), share) for every in (0.0, 300.0) for share in SHARES],
        [_row_of_rest(load) for load in WORKLOADS],
        [f"| {name} | {files:,.0f} |" for name, files in sorted(limits().items(), key=lambda one: one[1])],
    ]
    return (
        "\n".join("\n".join([*_head(head), *rows, ""]) for head, rows in zip(_HEADS, parts, strict=True))[:-1] + "\n"
    )


def table(load: Workload) -> str:
    """Of one workload, with a line for each MERGE per file too."""
    return "\n".join([*_head(_HEADS[0]), *_rows(load, [load.merge_every])]) + "\n"


_HEADS = (
    (
        *("files per day", "size", "main table", "a MERGE at most every", "loads per MERGE", "MERGEs per day"),
        *("TiB queried per day", "MERGEs on demand", "MERGEs by slots", "the rest"),
        *("dollars per month, on demand", "by slots"),
    ),
    ("a MERGE at most every", "read of the main table", "TiB queried per day", "MERGEs on demand", "MERGEs by slots"),
    ("files per day", "checks", "storage", "messages", "functions", "journal", "logs"),
    ("limit", "files per day"),
)


def _head(names: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(names)} |", f"|{'---|' if names[0] == 'limit' else '---:|'}{'---:|' * (len(names) - 1)}"]


def _rows(load: Workload, every: Sequence[float]) -> Iterator[str]:
    yield _row(load, grouped=False)
    yield from (_row(replace(load, merge_every=one)) for one in every)


def _row(load: Workload, grouped: bool = True) -> str:
    one, queried = bill(load, grouped), tib_a_day(load, grouped)
    cells = [
        f"{load.files_a_day:,}",
        _size(load.file_bytes),
        _size(load.main_bytes),
        _every(load.merge_every) if grouped else "file",
        f"{load.group(grouped):.1f}",
        f"{load.merges_a_day(grouped):,.0f}",
        f"{_dollars(queried)}{' (over 200)' if queried > QUERY_TIB_A_DAY else ''}",
        *(_dollars(value) for value in (one.merges, one.merges_by_slots, one.rest)),
        *(f"**{_dollars(value)}**" for value in (one.total, one.total_by_slots)),
    ]
    return f"| {' | '.join(cells)} |"


def _row_of_share(load: Workload, share: float) -> str:
    pruned = replace(load, share_read=share)
    one = bill(pruned)
    cells = [_every(load.merge_every), f"{share:.0%}", _dollars(tib_a_day(pruned))]
    return f"| {' | '.join([*cells, _dollars(one.merges), _dollars(one.merges_by_slots)])} |"


def _row_of_rest(load: Workload) -> str:
    one = bill(load)
    parts = (one.checks, one.storage, one.messages, one.functions, one.journal, one.logs)
    return f"| {' | '.join([f'{load.files_a_day:,}', *map(_dollars, parts)])} |"


def _every(seconds: float) -> str:
    if not seconds:
        return "at once"
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def _size(size: float) -> str:
    unit, name = next(((one, name) for one, name in ((TIB, "TiB"), (GIB, "GiB")) if size >= one), (MIB, "MiB"))
    return f"{size / unit:,.1f} {name}"


def _dollars(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables of docs/costs.md, or that of the workload in the options. Exits with 2 for an option that is
    none."""
    given = {name: one for name, one in vars(_parser().parse_args(arguments)).items() if one is not None}
    print(table(replace(WORKLOADS[1], **given)) if given else tables(), end="")


def _parser() -> argparse.ArgumentParser:
    default = WORKLOADS[1]
    parser = argparse.ArgumentParser(
        prog="python -m deploy.costs",
        description="Print the tables of docs/costs.md; with options, the table of your own workload. What is left "
        f"out is {default.files_a_day} files per day of 1 MiB each, into a table of 100 GiB that a MERGE reads whole.",
    )
    parser.add_argument("--files-a-day", type=_files, metavar="N", help="Files that arrive per day, evenly.")
    parser.add_argument("--file-bytes", type=_bytes, metavar="SIZE", help="Of one file, such as 200 KiB.")
    parser.add_argument("--main-bytes", type=_bytes, metavar="SIZE", help="Of the main table, such as 2 TiB.")
    parser.add_argument(
        "--merge-every", type=_seconds, metavar="TIME", help="0, or a time up to 7m, such as 90s or 5m."
    )
    parser.add_argument(
        "--share-read", type=_share, metavar="SHARE", help="Of the main table, what a MERGE reads, such as 10%%."
    )
    return parser


def _files(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of files, such as 10000")
    return int(text)


def _bytes(text: str) -> int:
    try:
        return parse_bytes(int(text) if text.isdecimal() else text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size, such as 1048576 or 1 MiB") from error


def _seconds(text: str) -> float:
    found = re.fullmatch("0|([1-9][0-9]{0,2})(s|m)", text)
    seconds = int(found[1] or 0) * {"m": 60.0, "s": 1.0}.get(found[2], 0.0) if found else LONGEST + 1
    if seconds > LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not 0 or a time up to 7m, such as 90s or 5m")
    return seconds


def _share(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%", text)
    if not found or not 0 < float(found[1]) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share up to 100%, such as 10%")
    return float(found[1]) / 100


if __name__ == "__main__":
    main()
