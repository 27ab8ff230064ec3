"""bqemulator, with CSV files read as the load job says: `python -m deploy.local.warehouse start …`.

bqemulator 1.4.0 lets DuckDB guess a file's dialect, whatever the job's options. A guess refuses files that mix LF
and CRLF, and takes an open quote for text. BigQuery follows the options, and so does this.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
from bqemulator.cli import main
from bqemulator.jobs import executor

_PATCHED = "_load_path_into_target"
_MOST_BYTES = 100 * 2**20  # of a cell or row, as in BigQuery
_CHUNK = 2**20

if not callable(getattr(executor, _PATCHED, None)):
    raise ImportError(f"this bqemulator has no {_PATCHED}: pin the version that requirements-dev.in names")
_load_other: Any = getattr(executor, _PATCHED)


def load_path(path: str, job: Any, ctx: Any) -> None:
    """Load one file into the job's table. DuckDB's InvalidInputException becomes reason `invalid`."""
    if job.source_format != "CSV":
        _load_other(path, job, ctx)
        return
    delimiter = str(job.raw_config.get("fieldDelimiter") or ",")
    skip = int(job.raw_config.get("skipLeadingRows") or 0)
    width = len(job.raw_config.get("schema", {}).get("fields") or ())
    with _plain(path, delimiter, width) as plain:
        ctx.engine.execute(
            f"COPY {job.target_ref} FROM ? (FORMAT CSV, AUTO_DETECT false, HEADER false, SKIP {skip},"
            f" DELIMITER '{delimiter.replace(chr(39), chr(39) * 2)}', QUOTE '\"', ESCAPE '\"', NEW_LINE '\\n',"
            f" STRICT_MODE true, NULL_PADDING false, MAX_LINE_SIZE {_MOST_BYTES})",
            [plain],
        )


@contextmanager
def _plain(path: str, delimiter: str, width: int) -> Iterator[str]:
    """The file itself where nothing in it can be misread, else a copy with LF and quotes where they are needed."""
    if not _has_quotes_or_cr(path):
        yield path
        return
    handle, copy = tempfile.mkstemp(suffix=".csv")
    os.close(handle)
    try:
        _rewrite(path, copy, delimiter, width)
        yield copy
    finally:
        os.unlink(copy)


def _has_quotes_or_cr(path: str) -> bool:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            if b'"' in chunk or b"\r" in chunk:
                return True
    return False


def _rewrite(path: str, copy: str, delimiter: str, width: int) -> None:
    csv.field_size_limit(_MOST_BYTES)
    # Lines end at LF alone, so that a bare CR reaches the reader, which refuses it.
    with (
        open(path, encoding="utf-8-sig", newline="\n") as source,
        open(copy, "w", encoding="utf-8", newline="") as target,
    ):
        reader = csv.reader(source, delimiter=delimiter, strict=True)
        writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
        try:
            for record in reader:
                if record and width and len(record) != width:
                    raise duckdb.InvalidInputException(
                        f"line {reader.line_num}: {len(record)} fields, the table has {width} columns"
                    )
                writer.writerow(record)
        except csv.Error as error:
            raise duckdb.InvalidInputException(f"line {reader.line_num}: {error}") from error
        except UnicodeDecodeError as error:
            raise duckdb.InvalidInputException(f"after line {reader.line_num}: not UTF-8: {error}") from error


setattr(executor, _PATCHED, load_path)

if __name__ == "__main__":
    main()
