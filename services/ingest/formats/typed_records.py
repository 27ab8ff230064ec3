"""The records of a Parquet, Avro or ORC file, each field as the text that `canonical` makes of it in SQL.

By pyarrow and fastavro, which the commands have and the services do not: only commands look for a record's place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from services.ingest.formats.raw_field import RawField, loaded_name
from services.ingest.formats.typed_node import Node, of_arrow, of_avro_schema
from services.ingest.formats.typed_text import text

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

_ROWS = 10_000


@dataclass(frozen=True)
class TypedRecords:
    nodes: Sequence[Node]
    rows: Iterable[Mapping[str, Any]]

    @property
    def schema(self) -> list[SchemaField]:
        """As the raw table has it, types aside whose text the value alone decides."""
        return [one.schema for one in self.nodes]

    def texts(self, fields: Sequence[RawField]) -> Iterator[list[str | None]]:
        """Of each record those of the fields. Raises ValueError for what cannot be read."""
        readers = [_reader(self.nodes, one.names) for one in fields]
        for row in self.rows:
            yield [read(row) for read in readers]


def open_records(source_format: str, file: BinaryIO) -> TypedRecords:
    """A file's records in their order, some at a time in memory. Raises ValueError for what cannot be read."""
    if source_format == "AVRO":
        return _open_avro(file)
    return _open_parquet(file) if source_format == "PARQUET" else _open_orc(file)


def _open_parquet(file: BinaryIO) -> TypedRecords:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    opened = parquet.ParquetFile(file)
    tables = (pa.Table.from_batches([one]) for one in opened.iter_batches(_ROWS))
    nodes = [of_arrow(one.name, one.type, is_parquet=True) for one in opened.schema_arrow]
    return TypedRecords(nodes, rows_of(tables))


def _open_orc(file: BinaryIO) -> TypedRecords:
    import pyarrow as pa
    from pyarrow import orc

    opened = orc.ORCFile(file)
    tables = (pa.Table.from_batches([opened.read_stripe(n)]) for n in range(opened.nstripes))
    nodes = [of_arrow(one.name, one.type, is_parquet=False) for one in opened.schema]
    return TypedRecords(nodes, rows_of(tables))


def rows_of(tables: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Of Arrow's tables, each row as Python's values. Raises ValueError for what cannot be read."""
    import pyarrow as pa

    try:
        for table in tables:
            for start in range(0, table.num_rows, _ROWS):
                yield from _in_micros(table.slice(start, _ROWS)).to_pylist()
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error


def _in_micros(table: Any) -> Any:
    """Python's moments have no nanoseconds; nor have BigQuery's, which are cut off towards the past."""
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            whole = pc.floor_temporal(table.column(place), unit="microsecond")
            table = table.set_column(place, field.name, whole.cast(pa.timestamp("us", tz=field.type.tz)))
        elif pa.types.is_time64(field.type) and field.type.unit == "ns":
            table = table.set_column(place, field.name, table.column(place).cast(pa.time64("us"), safe=False))
    return table


def _open_avro(file: BinaryIO) -> TypedRecords:
    import fastavro

    reader: Any = fastavro.reader(file)
    return TypedRecords(of_avro_schema(reader.writer_schema), reader)


def _reader(nodes: Sequence[Node], names: Sequence[str]) -> Callable[[Any], str | None]:
    steps: list[Node] = []
    for name in names:
        steps.append(next(one for one in nodes if loaded_name(one.name) == name))
        nodes = steps[-1].inner

    def read(value: Any) -> str | None:
        for step in steps:
            if value is None:
                return None
            value = value[step.name]
        return text(value, steps[-1])

    return read
