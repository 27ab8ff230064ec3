"""Files that say their own schema, Parquet, Avro and ORC, as a BigQuery load job reads them without being told one.

bqemulator 1.4.0 needs a table that is there, reads ORC by a package that is not installed, and turns many types into
others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from bqemulator.api.routes.tables import _parse_schema_fields
from bqemulator.catalog.etag import generate_etag
from bqemulator.catalog.models import TableMeta, TableSchema
from pyarrow import orc, parquet

from localcloud.warehouse import avro_types
from localcloud.warehouse.csv_dialect import CsvError as LoadError
from localcloud.warehouse.typed_types import Field, column, converted, field_of

_VIEW = "_typed_file"
_ROWS = 50_000
_UNFIT = re.compile(r'[!"$()*,./;?@\[\\\]^`{}~\x00-\x1f]')
"""What a flexible name has not (https://cloud.google.com/bigquery/docs/schemas#flexible-column-names)."""
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,299}")


def is_typed(load: dict[str, Any]) -> bool:
    """Whether a job's `configuration.load` leaves the schema to the files."""
    fields = (load.get("schema") or {}).get("fields")
    return str(load.get("sourceFormat", "")).upper() in _READERS and not fields


def load(path: str, job: Any, ctx: Any) -> None:
    """Loads a file into the job's table, which is made if it is not there. Raises LoadError."""
    fields: list[Field] | None = None
    for table in _tables(path, job.source_format):
        if fields is None:
            fields = _fields(table.schema, job)
            if ctx.catalog.get_table(job.project_id, job.dataset_id, job.table_id) is None:
                _create(fields, job, ctx)
        if table.num_rows:
            _insert(table, fields, job, ctx)


def _tables(path: str, source: str) -> Iterator[Any]:
    try:
        yield from _READERS[source](path)
    except (pa.ArrowException, OSError) as error:
        raise LoadError(f"the file cannot be read as {source}: {error}") from error


def _parquet(path: str) -> Iterator[Any]:
    with parquet.ParquetFile(path) as file:
        yield file.schema_arrow.empty_table()
        yield from (pa.Table.from_batches([one]) for one in file.iter_batches(_ROWS))


def _orc(path: str) -> Iterator[Any]:
    file = orc.ORCFile(path)
    yield file.schema.empty_table()
    yield from (pa.Table.from_batches([file.read_stripe(n)]) for n in range(file.nstripes))


def _avro(path: str) -> Iterator[Any]:
    with Path(path).open("rb") as file:
        yield from avro_types.tables(file)


_READERS: dict[str, Callable[[str], Iterator[Any]]] = {"PARQUET": _parquet, "ORC": _orc, "AVRO": _avro}


def _fields(schema: Any, job: Any) -> list[Field]:
    fields = [_named(field_of(one.name, one.type, job.source_format), job) for one in schema]
    names = [one["name"].lower() for one in fields]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise LoadError(f"several fields are one column to BigQuery: {twice[0]}")
    return fields


def _named(field: Field, job: Any) -> Field:
    """With the names that its column and those within get
    (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#columnnamecharactermap)."""
    name = field["name"]
    if job.source_format == "PARQUET" and job.raw_config.get("columnNameCharacterMap") == "V2":
        name = _UNFIT.sub("_", name)
    elif not _NAME.fullmatch(name):
        raise LoadError(f"invalid field name {name!r}: letters, digits and underscores only")
    inner = {"fields": [_named(one, job) for one in field["fields"]]} if "fields" in field else {}
    return {**field, "name": name, **inner}


def _create(fields: list[Field], job: Any, ctx: Any) -> None:
    columns = ", ".join(map(column, fields))
    ctx.engine.execute(f"CREATE TABLE {job.target_ref} ({columns})")
    now = ctx.clock.now()
    ctx.catalog.create_table(
        TableMeta(
            project_id=job.project_id,
            dataset_id=job.dataset_id,
            table_id=job.table_id,
            table_type="TABLE",
            schema=TableSchema(fields=tuple(_parse_schema_fields(fields))),
            labels={},
            creation_time=now,
            last_modified_time=now,
            num_rows=0,
            num_bytes=0,
            etag=generate_etag(job.project_id, job.dataset_id, job.table_id, "TABLE", str(now)),
        )
    )


def _insert(table: Any, fields: list[Field], job: Any, ctx: Any) -> None:
    try:
        table.validate(full=True)  # UTF-8 too
        arrays = [
            converted(one.combine_chunks() if one.num_chunks != 1 else one.chunk(0), field)
            for one, field in zip(table.columns, fields, strict=True)
        ]
    except pa.ArrowInvalid as error:
        raise LoadError(str(error)) from error
    ctx.engine.connection.register(_VIEW, pa.table(arrays, names=[one["name"] for one in fields]))
    try:
        ctx.engine.execute(f"INSERT INTO {job.target_ref} SELECT * FROM {_VIEW}")  # noqa: S608
    finally:
        ctx.engine.connection.unregister(_VIEW)
