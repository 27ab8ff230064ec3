"""Avro's records as Arrow tables, each type as BigQuery reads it with `useAvroLogicalTypes`.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-avro#avro_conversions
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, BinaryIO

import fastavro
import pyarrow as pa  # type: ignore[import-untyped]

from localcloud.warehouse.csv_dialect import CsvError as LoadError

_PRIMITIVE = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
    "null": pa.null(),
    "enum": pa.string(),
    "fixed": pa.binary(),
}
_LOGICAL = {
    "date": pa.date32(),
    "time-millis": pa.time64("us"),
    "time-micros": pa.time64("us"),
    "timestamp-millis": pa.timestamp("us", tz="UTC"),
    "timestamp-micros": pa.timestamp("us", tz="UTC"),
    "local-timestamp-millis": pa.timestamp("us"),
    "local-timestamp-micros": pa.timestamp("us"),
}
_RECORDS = 50_000


def tables(file: BinaryIO) -> Iterator[Any]:
    """At least one. Raises LoadError."""
    try:
        reader: Any = fastavro.reader(file)
        schema = reader.writer_schema
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise LoadError("the file's schema is not a record")
        named: dict[str, Any] = {}
        arrow = pa.schema([_field(one, named) for one in schema["fields"]])
        yield arrow.empty_table()
        while records := list(itertools.islice(reader, _RECORDS)):
            yield pa.Table.from_pylist(records, arrow)
    except LoadError:
        raise
    except Exception as error:  # of any class: fastavro has none of its own
        raise LoadError(f"the Avro file cannot be read: {error}") from error


def _field(field: Any, named: dict[str, Any]) -> Any:
    return pa.field(field["name"], _type(field["type"], named))


def _type(kind: Any, named: dict[str, Any]) -> Any:
    if isinstance(kind, list):
        others = [one for one in kind if one != "null"]
        if len(others) > 1:
            raise LoadError("the local warehouse does not read a union of several types")
        return _type(others[0] if others else "null", named)
    if isinstance(kind, str):
        return _PRIMITIVE[kind] if kind in _PRIMITIVE else named[kind]
    made = _made(kind, named)
    if "name" in kind:
        named[kind["name"]] = made
    return made


def _made(kind: Any, named: dict[str, Any]) -> Any:
    logical = kind.get("logicalType")
    if logical == "decimal":
        precision, scale = kind["precision"], kind.get("scale", 0)
        return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)
    if logical == "uuid":
        return pa.string()
    if logical in _LOGICAL:
        return _LOGICAL[logical]
    if kind["type"] in ("record", "error"):
        return pa.struct([_field(one, named) for one in kind["fields"]])
    if kind["type"] == "array":
        return pa.list_(_type(kind["items"], named))
    if kind["type"] == "map":
        return pa.map_(pa.string(), _type(kind["values"], named))
    return _type(kind["type"], named)
