"""What only large files and tables show; made where they lie, and nothing of them is uploaded or downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from google.cloud.storage import Blob

from deploy.google.probe.expressions import TEMPLATES
from deploy.google.probe.files import COLUMNS, FEED
from deploy.google.probe.question import Answer, Question
from deploy.google.probe.scratch import Scratch
from services.ingest.formats import format_of
from services.shared.contract.encodings import UTF_8

_MIB = 2**20
_LINE = b"a," + b"x" * 1021 + b"\n"
_TIMEOUT = 300.0


@dataclass(frozen=True)
class Size:
    part_bytes: int = 4 * _MIB
    """Of the one piece that is uploaded."""
    doublings: int = 10
    """4 GiB."""
    thousand_rows: int = 5 * 1024
    """Of a table whose rows are 1 KiB: 5 GiB."""

    @property
    def file_bytes(self) -> int:
        """But for the last one."""
        return self.part_bytes << self.doublings

    @property
    def table_bytes(self) -> int:
        return self.thousand_rows * 1000 * 1024


def questions(size: Size = Size()) -> Iterator[Question]:
    for quoted in (True, False):
        words = "with" if quoted else "without"
        yield Question(
            f"large_file_{words}_quoted_newlines",
            f"a CSV file of 4 GiB and one byte, {words} allow_quoted_newlines",
            "one load job",
            "BigQuery cannot split a file whose newlines may be in quotes.",
            partial(_large_file, size=size, quoted=quoted),
            finding=9,
            expected=("file_too_large (invalid)",) if quoted else (f"{size.file_bytes // len(_LINE)} rows",),
            operations=2 * size.doublings,
            only_google=True,
        )
    for keys in ("ordered", "random"):
        yield Question(
            f"large_merge_{keys}_keys",
            f"a MERGE of 100 {keys} keys into 5 GiB, without bounds of the key and with them",
            "MERGE … ON t.k = s.k [AND t.k BETWEEN … AND …]",
            "Bounds let BigQuery leave out blocks, if the keys of a file lie together.",
            partial(_large_merge, size=size, is_random=keys == "random"),
            finding=23,
            expected=("bounds read less",) if keys == "ordered" else ("bounds read as much",),
            # Twice the table, and the keys.
            most_bytes=2 * size.table_bytes + 6 * 10 * _MIB,
            only_google=True,
        )


def _large_file(scratch: Scratch, size: Size, quoted: bool) -> Answer:
    name = f"large_file_{'quoted' if quoted else 'plain'}"
    whole = _compose(scratch, name, size)
    config = format_of(FEED).load_config(COLUMNS, FEED, UTF_8)
    config.allow_quoted_newlines = quoted
    table = scratch.table(name)
    scratch.warehouse.load_table_once(f"probe-{name}", table, f"gs://{whole.bucket.name}/{whole.name}", config)
    return Answer(f"{scratch.warehouse.client.get_table(table).num_rows} rows")


def _compose(scratch: Scratch, name: str, size: Size) -> Blob:
    """Each object is twice the one before; the last has one byte more, which is a record of its own."""
    scratch.upload(f"{name}_0", _LINE * (size.part_bytes // len(_LINE)))
    scratch.upload(f"{name}_end", b"b")
    made = scratch.blob(f"{name}_0")
    for number in range(1, size.doublings + 1):
        made, half = scratch.blob(f"{name}_{number}"), made
        made.compose([half, half], timeout=_TIMEOUT)
        half.delete(timeout=_TIMEOUT)
    whole = scratch.blob(f"{name}.csv")
    whole.compose([made, scratch.blob(f"{name}_end")], timeout=_TIMEOUT)
    return whole


def _large_merge(scratch: Scratch, size: Size, is_random: bool) -> Answer:
    name = f"large_{'random' if is_random else 'ordered'}"
    table, source = scratch.table(name), scratch.table(f"{name}_source")
    keys = {"random": is_random, "thousands": size.thousand_rows}
    _billed(scratch, TEMPLATES.render("large_table.sql", table=table, **keys))
    _billed(scratch, TEMPLATES.render("large_source.sql", table=source, **keys))
    (bounds,) = scratch.warehouse.query(TEMPLATES.render("large_bounds.sql", table=source))
    without, bounded = (
        _billed(scratch, TEMPLATES.render("large_merge.sql", table=table, source=source, bounds=one))
        for one in (None, (bounds["low"], bounds["high"]))
    )
    verdict = "bounds read less" if bounded < without / 2 else "bounds read as much"
    return Answer(verdict, f"{without / _MIB:,.0f} MiB without bounds, {bounded / _MIB:,.0f} MiB with")


def _billed(scratch: Scratch, sql: str) -> int:
    job = scratch.warehouse.client.query(sql, timeout=_TIMEOUT, job_retry=None)
    job.result(timeout=_TIMEOUT, job_retry=None)
    return int(job.total_bytes_billed or 0)
