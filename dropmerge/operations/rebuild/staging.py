"""One archived file into a staging table, by the steps that ingest takes."""

from __future__ import annotations

from functools import partial

from dropmerge.operations.rebuild.archive import Pinned
from dropmerge.operations.rebuild.build import Build
from services.ingest.check_rows import check_rows, drop_intermediate_tables, stage_rows
from services.ingest.inspect_file import inspect_file, read_part
from services.ingest.load_raw import load_raw
from services.ingest.tables import Tables
from services.merge.main_table import MainTable
from services.merge.staged import Staged, find_staged
from services.shared.errors import PermanentError


def stage(build: Build, main: MainTable, one: Pinned) -> Staged:
    """The file's staging table, made now or before an interruption.

    Raises: PermanentError where the contract refuses the file.
    """
    tables = build.tables(one.load, main)
    if not build.warehouse.table_exists(tables.staging):
        _read(build, main, one, tables)
    return find_staged(build.warehouse, build.contract, one.load_id, tables.staging)


def _read(build: Build, main: MainTable, one: Pinned, tables: Tables) -> None:
    warehouse, feed, load = build.warehouse, build.contract, one.load
    blob = build.connection.storage.bucket(build.connection.archive).blob(one.name)
    seen = inspect_file(one.size, feed, partial(read_part, blob))
    uri = f"gs://{build.connection.archive}/{one.name}"
    # With the build in the job's id: after a hundred builds a load would have used up its own.
    layout = load_raw(warehouse, uri, tables.raw, f"{load.load_id}-{main.table_id}", seen, feed)
    try:
        counts = check_rows(warehouse, feed, load, tables, layout, load.source.created, None)
    except PermanentError:
        drop_intermediate_tables(warehouse, tables)
        raise
    stage_rows(warehouse, feed, load, tables, counts.rejected)
