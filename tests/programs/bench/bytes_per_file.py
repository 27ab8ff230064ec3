"""How many bytes BigQuery bills for a file as the main table grows: measured for small tables, then computed.

Measured: the statements that pass the proxy, what each reads of the tables as they are then, and by BigQuery's rules
(`on_demand`) what that is billed. Computed: `deploy.costs`, with the share of the main table that was measured.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.costs import GIB, INGEST_STATEMENTS, MIB, QUERY_MINIMUM, Workload, billed_of_merge, bytes_of_merge
from tests.harness.faults.calls import Call
from tests.harness.faults.cloud import Faulty
from tests.harness.pipeline import HEADER, row
from tests.programs.bench.group import Passed, merge_together
from tests.programs.bench.on_demand import Reading, readings

FILES_A_DAY = 5760
"""One in each 15 s, in which a MERGE of the model ends: at once, each file has its own."""
ROWS = 100
"""Of a file."""
SIZES = [GIB * 10 ** (n / 4) for n in range(-12, 9)]
"""Bytes of main tables for which the bill is computed: from a thousandth of a GiB to 100 GiB."""
_MAIN = "local.main.accounts"
_LEDGER = "local.ops.ledger"


@dataclass
class _Meter:
    """Watches the calls: what each job reads of the tables as they are when it begins."""

    faulty: Faulty
    read: dict[Call, list[Reading]] = field(default_factory=dict)
    failed: list[Exception] = field(default_factory=list)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call) -> None:
        if not call.starts_query:
            return
        # The analyser is one WebAssembly instance, which threads that share it crash.
        with self._one_at_a_time:
            try:
                self.read[call] = readings(self.faulty.pipeline.connection, call.sql)
            except Exception as error:  # kept for who asks: the call itself is not to fail
                self.failed.append(error)

    def of(self, calls: Sequence[Call]) -> list[Reading]:
        if self.failed:
            raise self.failed[0]
        return [one for call in calls if call.starts_query for one in self.read[call]]


def measure_bytes(faulty: Faulty, sizes: Sequence[int], merge_every: float) -> dict[str, Any]:
    """Of main tables that grow to these sizes in rows, and with MERGEs at most every so many seconds."""
    keys, measured = _Keys(), []
    for rows in sizes:
        _grow(faulty, keys, rows)
        for kind in ("random", "ordered"):
            measured += [_measure(faulty, keys, kind, group) for group in (1, int(_workload(merge_every).group()))]
    return {
        "files_a_day": FILES_A_DAY,
        "rows_of_a_file": ROWS,
        "merge_every": merge_every,
        "measured": measured,
        "computed": list(_computed(measured, merge_every)),
    }


@dataclass
class _Keys:
    """Keys of rows, as numbers; all below `top` are in the main table."""

    top: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    def of_file(self, kind: str) -> Sequence[int]:
        return self.chance.sample(range(self.top), ROWS) if kind == "random" else self.next(ROWS)

    def next(self, count: int) -> range:
        """Larger than all that are there."""
        self.top += count
        return range(self.top - count, self.top)


def _file(keys: Sequence[int]) -> str:
    return HEADER + "".join(row(f"{key:012}") for key in keys)


def _grow(faulty: Faulty, keys: _Keys, rows: int) -> None:
    faulty.pipeline.drop(f"grown-{rows}.csv", _file(keys.next(rows - keys.top)))
    faulty.pipeline.wait_until_idle(1800)


def _measure(faulty: Faulty, keys: _Keys, kind: str, group: int) -> dict[str, Any]:
    (whole,) = readings(faulty.pipeline.connection, f"SELECT * FROM `{_MAIN}`")
    files = {f"{kind}-{group}-{keys.top}-{n}.csv": _file(keys.of_file(kind)) for n in range(group)}
    before, meter = faulty.script.watch, _Meter(faulty)
    faulty.script.watch = meter
    try:
        passed = merge_together(faulty, "accounts", files)
    finally:
        faulty.script.watch = before
    return {"keys": kind, "group": group, "rows": whole.rows, "main_bytes": whole.bytes, **_billed(meter, passed)}


def _billed(meter: _Meter, passed: Passed) -> dict[str, Any]:
    """Bytes billed for all files and for their MERGE, and what the model says that they are."""
    ingest, merge = meter.of(passed.ingest), meter.of(passed.merge)
    group = sum(one.step == "load" for one in passed.ingest)
    (main,) = [one for one in merge if one.table == _MAIN]
    staged = max(one.bytes for one in merge if ".staging." in one.table)
    ledger = max(one.bytes for one in merge if one.table == _LEDGER)
    by_ingest, by_merge = sum(one.billed for one in ingest), sum(one.billed for one in merge)
    return {
        "merges": sum(one.step == "merge" for one in passed.merge),
        "share_read": main.rows / main.rows_of_table,
        "file_bytes": staged,
        "main_billed": main.billed,
        "billed_by_ingest": by_ingest,
        "billed_by_merge": by_merge,
        "billed_per_file": (by_ingest + by_merge) / group,
        "model_per_file": _of_ingest(staged) + billed_of_merge(main.bytes, staged, group, ledger) / group,
    }


def _of_ingest(file_bytes: float) -> float:
    return INGEST_STATEMENTS * max(file_bytes, QUERY_MINIMUM)


def _workload(merge_every: float, file_bytes: float = MIB, main_bytes: float = 0, share: float = 1) -> Workload:
    return Workload(FILES_A_DAY, file_bytes, main_bytes, merge_every, share)


def _computed(measured: Sequence[dict[str, Any]], merge_every: float) -> Iterator[dict[str, Any]]:
    """By the model, with the share that was read of the largest table."""
    largest = {one["keys"]: one for one in measured if one["group"] == 1}
    for kind, one in largest.items():
        for every in (0.0, merge_every):
            for size in SIZES:
                load = _workload(every, one["file_bytes"], size, one["share_read"])
                per_file = _of_ingest(load.file_bytes) + bytes_of_merge(load) / load.group()
                yield {
                    "keys": kind,
                    "merge_every": every,
                    "main_bytes": size,
                    "billed_per_file": per_file,
                    "billed_per_day": per_file * FILES_A_DAY,
                }
