"""Rows into a Parquet, Avro or ORC file, from their texts.

By pyarrow and fastavro, which the commands have and the services do not: only commands write rows to files.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, BinaryIO

from services.shared.contract.formats import KINDS

Record = Mapping[str, str | None]
_VALUES: Mapping[str, Callable[[str], Any]] = {
    "INTEGER": int,
    "FLOAT": float,
    "BOOLEAN": lambda text: {"true": True, "false": False}[text],
    "NUMERIC": Decimal,
    "BIGNUMERIC": Decimal,
    "BYTES": lambda text: base64.b64decode(text, validate=True),
    "DATE": date.fromisoformat,
    "TIME": time.fromisoformat,
    "DATETIME": datetime.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
}
"""By a field's type, of its text."""


def write(
    source_format: str, file: BinaryIO, columns: Sequence[str], records: Sequence[Record], known: Mapping[str, str]
) -> None:
    """Closes the file. `known`: by a field's name in the file, that of its column. A field whose texts are not all of
    the type that it had is written as these texts."""
    with file:
        # No struct is made anew: what was within one is a column of its own, by a name that stands for the path.
        arrays = {name.replace(".", "_"): _array(source_format, name, records, known.get(name)) for name in columns}
        if source_format == "AVRO":
            _write_avro(file, arrays)
        else:
            _write_arrow(source_format, file, arrays)


def _array(source_format: str, name: str, records: Sequence[Record], column: str | None) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped]

    texts = [_text(record.get(name)) for record in records]
    kind = _kind(records, column)
    if kind not in _VALUES:
        return pa.array(texts, pa.string())
    try:
        values = [None if text is None else _VALUES[kind](text) for text in texts]
        found = pa.array(values, _types(source_format).get(kind))
    except (ValueError, ArithmeticError, KeyError, pa.ArrowException):
        return pa.array(texts, pa.string())
    is_too_wide = pa.types.is_decimal256(found.type) and source_format == "ORC"
    return pa.array(texts, pa.string()) if is_too_wide or pa.types.is_null(found.type) else found


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _kind(records: Sequence[Record], column: str | None) -> str:
    """The one that all of the rows had, which may be from several files; empty where they differ."""
    kinds = {dict(_pairs(record)).get(column or "", "") for record in records}
    return kinds.pop() if len(kinds) == 1 else ""


def _pairs(record: Record) -> list[tuple[str, str]]:
    parts = (one.partition(":") for one in (record.get(KINDS) or "").split())
    return [(name, kind) for name, _, kind in parts]


def _types(source_format: str) -> Mapping[str, Any]:
    """Of arrays; a decimal's is that of its values. Parquet and ORC have no DATETIME that BigQuery reads as one."""
    import pyarrow as pa

    # An ORC timestamp without a zone is what BigQuery reads as TIMESTAMP.
    zone = None if source_format == "ORC" else "UTC"
    return {
        **{"INTEGER": pa.int64(), "FLOAT": pa.float64(), "BOOLEAN": pa.bool_(), "BYTES": pa.binary()},
        **{"DATE": pa.date32(), "TIME": pa.time64("us")},
        "DATETIME": pa.timestamp("us") if source_format == "AVRO" else pa.string(),
        "TIMESTAMP": pa.timestamp("us", tz=zone),
    }


def _write_arrow(source_format: str, file: BinaryIO, arrays: Mapping[str, Any]) -> None:
    import pyarrow as pa
    from pyarrow import orc, parquet

    table = pa.table(dict(arrays))
    if source_format == "ORC":
        orc.write_table(table, file)
    else:
        parquet.write_table(table, file)


def _write_avro(file: BinaryIO, arrays: Mapping[str, Any]) -> None:
    import fastavro

    fields = [{"name": name, "type": ["null", _avro(array.type)]} for name, array in arrays.items()]
    rows = zip(*(array.to_pylist() for array in arrays.values()), strict=True)
    schema = fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})
    fastavro.writer(file, schema, (dict(zip(arrays, row, strict=True)) for row in rows))


def _avro(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return {"type": "bytes", "logicalType": "decimal", "precision": kind.precision, "scale": max(kind.scale, 0)}
    if pa.types.is_timestamp(kind):
        return {"type": "long", "logicalType": "timestamp-micros" if kind.tz else "local-timestamp-micros"}
    names = {
        **{pa.int64(): "long", pa.float64(): "double", pa.bool_(): "boolean", pa.binary(): "bytes"},
        pa.date32(): {"type": "int", "logicalType": "date"},
        pa.time64("us"): {"type": "long", "logicalType": "time-micros"},
    }
    return names.get(kind, "string")
