"""Load jobs: CSV files are read by `csv_reader`, files that say their schema by `typed_files`, and a load that fails
leaves no new table.

bqemulator 1.4.0 lets DuckDB guess a file's dialect, whatever the job's options. A guess refuses files that mix LF
and CRLF, and takes an open quote for text. BigQuery follows the options.
"""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bqemulator.api.routes import jobs, upload
from bqemulator.jobs import executor

from localcloud.warehouse import typed_files
from localcloud.warehouse.csv_dialect import Dialect
from localcloud.warehouse.csv_reader import BLANK, MAX_RECORD, clean_records
from localcloud.warehouse.entries import literal
from localcloud.warehouse.packed import bytes_of
from localcloud.warehouse.replace import replace
from localcloud.warehouse.sizes import check_size
from localcloud.warehouse.threads import use_all
from localcloud.warehouse.transactions import transaction

_LEAST_RECORD = 2 * 2**20
"""Bytes, DuckDB's own bound."""
_BUFFER = 32 * 2**20

_original: dict[str, Callable[..., Any]] = {}


def set_up() -> None:
    """Replaces bqemulator's load jobs; called before the server is made."""
    _original["load_path"] = replace(executor, "_load_path_into_target", load_path)
    _original["apply_disposition"] = replace(executor, "_apply_load_write_disposition", apply_disposition)
    _original["execute_load_job"] = replace(executor, "execute_load_job", execute_load_job)
    for module in (jobs, upload):  # they hold the function by its name
        replace(module, "execute_load_job", execute_load_job)


def load_path(path: str, job: Any, ctx: Any) -> None:
    """Loads a file, or those that a pattern names, into the job's table.

    Raises:
        CsvError: a CSV file is malformed.
    """
    files = [path] if os.path.exists(path) else sorted(glob.glob(path)) or [path]
    use_all(ctx.engine, sum(os.path.getsize(one) for one in files if os.path.exists(one)) > _BUFFER)
    if typed_files.is_typed(job.raw_config):
        typed_files.load(path, job, ctx)
        return
    if job.source_format != "CSV" or job.raw_config.get("autodetect"):
        _original["load_path"](path, job, ctx)
        return
    columns = [name for name, *_ in ctx.engine.execute(f"DESCRIBE {job.target_ref}").fetchall()]
    dialect = Dialect.of(job.raw_config, len(columns))
    with tempfile.TemporaryDirectory() as folder:
        blank_lines, longest = 0, _LEAST_RECORD
        for name in files:
            check_size(name, dialect)
            with bytes_of(name) as source:
                blank, most = _sort(clean_records(source, dialect), Path(folder))
            blank_lines, longest = blank_lines + blank, max(longest, most)
        for file in sorted(Path(folder).iterdir()):
            _copy_into(job.target_ref, columns[: int(file.stem)], file, dialect, longest, ctx)
        # What BigQuery makes of one is not documented; that it is a record of one field takes the words as they stand.
        if blank_lines and (dialect.fills or len(columns) == 1):
            ctx.engine.execute(
                f"INSERT INTO {job.target_ref} ({_quoted(columns[0])}) SELECT NULLIF('', ?) FROM range(?)",  # noqa: S608
                [dialect.null_marker, blank_lines],
            )


def _sort(records: Iterable[tuple[int, bytes]], folder: Path) -> tuple[int, int]:
    """Appends records to a file for each number of fields. How many lines are blank; bytes that no record exceeds."""
    blank_lines = longest = 0
    for width, piece in records:
        if width == BLANK:
            blank_lines += piece.count(b"\n")
        else:
            longest = min(MAX_RECORD, max(longest, len(piece)))
            with (folder / f"{width}.csv").open("ab") as file:
                file.write(piece)
    return blank_lines, longest


def _copy_into(table: str, columns: Sequence[str], path: Path, dialect: Dialect, longest: int, ctx: Any) -> None:
    """`longest`: bytes that no record is longer than."""
    # DuckDB takes so much memory for each file, and reads by more than one thread what is much longer than a record.
    buffer = max(longest, min(_BUFFER, path.stat().st_size))
    texts = (dialect.delimiter.decode(), dialect.quote.decode(), dialect.null_marker)
    delimiter, quote, null = map(literal, texts)
    ctx.engine.execute(
        f"COPY {table} ({', '.join(map(_quoted, columns))}) FROM ? (FORMAT CSV, AUTO_DETECT false, HEADER false,"
        f" DELIMITER {delimiter}, QUOTE {quote}, ESCAPE {quote}, NULLSTR {null}, NEW_LINE '\\n',"
        f" STRICT_MODE true, NULL_PADDING false, MAX_LINE_SIZE {longest}, BUFFER_SIZE {buffer})",
        [str(path)],
    )


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


async def execute_load_job(project_id: str, job_id: str, config: dict[str, Any], ctx: Any) -> Any:
    """Runs bqemulator's own; when that fails, what was there before is there."""
    job = executor._parse_load_job_config(project_id, config)
    table = ctx.catalog.get_table(job.project_id, job.dataset_id, job.table_id)
    with transaction(ctx.engine):
        if table is not None and typed_files.is_typed(job.raw_config) and job.write_disposition == "WRITE_TRUNCATE":
            # The schema is overwritten too, as the job's new table has it.
            await _drop(job, ctx)
        return await _original["execute_load_job"](project_id, job_id, config, ctx)


async def _drop(job: Any, ctx: Any) -> None:
    async with ctx.engine.write_lock():
        ctx.engine.execute(f"DROP TABLE IF EXISTS {job.target_ref}")
        ctx.catalog.delete_table(job.project_id, job.dataset_id, job.table_id, not_found_ok=True)


def apply_disposition(job: Any, ctx: Any) -> None:
    """Empties the table as the job says; one that the file's schema makes is not there yet."""
    if ctx.catalog.get_table(job.project_id, job.dataset_id, job.table_id) or not typed_files.is_typed(job.raw_config):
        _original["apply_disposition"](job, ctx)
