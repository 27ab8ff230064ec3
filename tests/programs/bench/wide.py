"""A file of 200 columns: seconds from its drop to the table."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.cloud import running
from tests.harness.pipeline import Pipeline
from tests.programs.bench.figures import Figure, Found, found
from tests.programs.bench.merged import wait_until_merged
from tests.programs.bench.options import Options

_COLUMNS, _ROWS = 200, 1000
_FEWEST_COLUMNS = 8  # the key, the version, one of each type
_SECONDS = 5.0
_TYPES = ("STRING", "INT64", "NUMERIC", "BOOL", "DATE")


def measure(options: Options) -> Found:
    """1,000 rows; the first file of all, which makes the main table, is small and not counted."""
    rows, columns = options.pick(_ROWS, _ROWS), max(_FEWEST_COLUMNS, options.pick(_COLUMNS, _COLUMNS))
    with TemporaryDirectory(prefix="dropmerge-bench-") as name:
        folder = Path(name)
        (folder / "feeds").mkdir()
        (folder / "feeds" / "wide.yaml").write_text(_contract(columns))
        with running(folder, folder / "feeds") as pipeline:
            _drop(pipeline, columns, 1, 0)
            seconds = [_drop(pipeline, columns, rows, version) for version in range(1, options.times + 1)]
            is_right = _sums(pipeline, columns) == (rows, rows * options.times, sum(_money(n) for n in range(rows)))
    what = f"{rows:,} rows of {columns} columns"
    return found([Figure(what, "dropmerge", "s", seconds, at_most=_SECONDS)], is_right)


def _names(columns: int) -> list[tuple[str, str]]:
    """Each column and its type, beside the key and the version."""
    return [(f"c{n}", _TYPES[n % len(_TYPES)]) for n in range(columns - 2)]


def _contract(columns: int) -> str:
    listed = "".join(f"  - {{name: {name}, type: {kind}}}\n" for name, kind in _names(columns))
    return f"""
feed: wide
objects: incoming/wide/*
format: {{type: csv}}
table: main.wide
key: [id]
version: v
columns:
  - {{name: id, type: INT64}}
  - {{name: v, type: INT64}}
{listed}"""


def _drop(pipeline: Pipeline, columns: int, rows: int, version: int) -> float:
    header = ",".join(["id", "v", *(name for name, _ in _names(columns))])
    lines = [",".join([str(n), str(version), *(_text(kind, n) for _, kind in _names(columns))]) for n in range(rows)]
    started = time.monotonic()
    pipeline.drop(f"{version}.csv", "\n".join([header, *lines, ""]), "wide")
    wait_until_merged(pipeline)
    return time.monotonic() - started


def _text(kind: str, number: int) -> str:
    texts = {
        "STRING": f"text {number}",
        "INT64": str(number),
        "NUMERIC": str(_money(number)),
        "BOOL": "true" if number % 2 else "false",
        "DATE": f"2025-01-{number % 28 + 1:02d}",
    }
    return texts[kind]


def _money(number: int) -> Decimal:
    return Decimal(10**12 + number) + Decimal("0.000000001")


def _sums(pipeline: Pipeline, columns: int) -> tuple[int, int, Decimal]:
    """Rows, the sum of their versions, and of the last column of money."""
    last = [name for name, kind in _names(columns) if kind == "NUMERIC"][-1]
    (row,) = pipeline.connection.rows(
        f"SELECT COUNT(*) AS n, SUM(v) AS versions, SUM({last}) AS money FROM `main.wide_current`"
    )
    return int(row["n"]), int(row["versions"]), Decimal(row["money"])
