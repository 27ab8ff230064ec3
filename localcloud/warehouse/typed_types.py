"""What BigQuery makes of the types of Parquet, Avro and ORC: a field's schema, DuckDB's type, and the values.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions
https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-avro#avro_conversions
https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-orc#orc_conversions
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from localcloud.warehouse.csv_dialect import CsvError as LoadError

Field = dict[str, Any]
"""As in REST: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema"""
_DUCKDB = {
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "NUMERIC": "DECIMAL(38, 9)",
    # DuckDB has no more than 38 digits: the table keeps such a number's text.
    "BIGNUMERIC": "VARCHAR",
    "DATE": "DATE",
    "TIME": "TIME",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMPTZ",
}
_LEAST_OF_BIGNUMERIC = 38
_MICROS, _UTC_MICROS = pa.timestamp("us"), pa.timestamp("us", tz="UTC")


def field_of(name: str, kind: pa.DataType, source: str) -> Field:
    """The schema that BigQuery detects. `source`: PARQUET, AVRO or ORC. Raises LoadError."""
    if _is_list(kind):
        element = field_of(name, kind.value_type, source)
        if element["mode"] == "REPEATED":
            raise LoadError(f"field {name}: a list in a list, which BigQuery does not have")
        return {**element, "mode": "REPEATED"}
    field: Field = {"name": name, "type": "RECORD", "mode": "NULLABLE"}
    if pa.types.is_map(kind):
        pairs = [field_of("key", kind.key_type, source), field_of("value", kind.item_type, source)]
        if source == "PARQUET":
            return {**field, "fields": [{**field, "name": "key_value", "mode": "REPEATED", "fields": pairs}]}
        return {**field, "mode": "REPEATED", "fields": pairs}
    if pa.types.is_struct(kind):
        return {**field, "fields": [field_of(one.name, one.type, source) for one in kind]}
    return {**field, "type": _scalar(name, kind, source)}


def duckdb_type(field: Field) -> str:
    """Of a table's column."""
    kind = _DUCKDB.get(field["type"]) or f"STRUCT({', '.join(column(one) for one in field['fields'])})"
    return f"{kind}[]" if field["mode"] == "REPEATED" else kind


def column(field: Field) -> str:
    """Name and DuckDB's type."""
    name = field["name"].replace('"', '""')
    return f'"{name}" {duckdb_type(field)}'


def converted(values: Any, field: Field) -> Any:
    """An array of what a file has, as DuckDB's type has it. Raises LoadError for a value that does not fit."""
    try:
        return _converted(values, field)
    except pa.ArrowInvalid as error:
        raise LoadError(f"field {field['name']}: {error}") from error


def _converted(values: Any, field: Field) -> Any:
    kind = values.type
    if pa.types.is_map(kind):
        return _of_map(values, field)
    if field["mode"] == "REPEATED":
        # BigQuery has no list that is NULL
        # (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#array_nulls).
        lists = values.cast(pa.list_(kind.value_type)) if not pa.types.is_list(kind) else values
        filled = pc.coalesce(lists, pa.scalar([], lists.type))
        inner = _converted(filled.flatten(), {**field, "mode": "NULLABLE"})
        lengths = pc.list_value_length(filled)
        return pa.ListArray.from_arrays(_offsets(lengths), inner)
    if field["type"] == "RECORD":
        children = [_converted(pc.struct_field(values, [n]), one) for n, one in enumerate(field["fields"])]
        made = [pa.field(one["name"], child.type) for one, child in zip(field["fields"], children, strict=True)]
        return pa.StructArray.from_arrays(children, fields=made, mask=pc.is_null(values))
    return _scalars(values, field["type"])


def _of_map(values: Any, field: Field) -> Any:
    pairs_of = field["fields"][0] if field["mode"] != "REPEATED" else field
    keys, items = (
        _converted(one, of) for one, of in zip((values.keys, values.items), pairs_of["fields"], strict=True)
    )
    pairs = pa.StructArray.from_arrays([keys, items], names=["key", "value"])
    lengths = pc.fill_null(pc.list_value_length(values.cast(pa.list_(values.type.field(0)))), 0)
    lists = pa.ListArray.from_arrays(_offsets(lengths), pairs)
    if field["mode"] == "REPEATED":
        return lists
    return pa.StructArray.from_arrays([lists], names=["key_value"], mask=pc.is_null(values))


def _offsets(lengths: Any) -> Any:
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    return pa.concat_arrays([pa.array([0], pa.int32()), ends])


def _scalars(values: Any, kind: str) -> Any:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_decimal(values.type) and kind in ("BIGNUMERIC", "STRING"):
        texts = [None if one is None else f"{one:f}" for one in values.to_pylist()]
        return pa.array([text and _without_zeros(text) for text in texts], pa.string())
    match kind:
        case "INTEGER":
            return values.cast(pa.int64())
        case "FLOAT":
            return values.cast(pa.float64())
        case "STRING":
            return values.cast(pa.string())
        case "BYTES":
            return values.cast(pa.binary())
        case "NUMERIC":
            return values.cast(pa.decimal128(38, 9))
        case "DATE":
            return values.cast(pa.date32())
        case "TIME":
            return values.cast(pa.time64("us"), safe=False)
        case "DATETIME" | "TIMESTAMP":
            return _micros(values).cast(_UTC_MICROS if kind == "TIMESTAMP" else _MICROS)
    return values


def _micros(values: Any) -> Any:
    """What is finer than a microsecond is cut off, towards the past."""
    if values.type.unit != "ns":
        return values.cast(pa.timestamp("us", tz=values.type.tz))
    count = values.cast(pa.int64())
    whole = pc.divide(count, 1000)
    floor = pc.if_else(pc.less(count, pc.multiply(whole, 1000)), pc.subtract(whole, 1), whole)
    return floor.cast(pa.timestamp("us", tz=values.type.tz))


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _scalar(name: str, kind: pa.DataType, source: str) -> str:
    is_a = pa.types
    if is_a.is_dictionary(kind):
        return _scalar(name, kind.value_type, source)
    if is_a.is_decimal(kind):
        return _decimal(kind.precision - kind.scale, kind.scale)
    if is_a.is_timestamp(kind):
        # Parquet's without a zone too, unless the job says its schema; Avro's local ones are DATETIME.
        return "DATETIME" if source == "AVRO" and kind.tz is None else "TIMESTAMP"
    checks = {
        "INTEGER": (is_a.is_integer,),
        "FLOAT": (is_a.is_floating,),
        "BOOLEAN": (is_a.is_boolean,),
        "STRING": (is_a.is_string, is_a.is_large_string, is_a.is_string_view, is_a.is_null),
        "BYTES": (is_a.is_binary, is_a.is_large_binary, is_a.is_fixed_size_binary, is_a.is_binary_view),
        "DATE": (is_a.is_date,),
        "TIME": (is_a.is_time,),
    }
    found = next((one for one, tests in checks.items() if any(test(kind) for test in tests)), None)
    if found is None:
        raise LoadError(f"field {name}: the local warehouse does not read {kind}")
    return found


def _decimal(digits: int, scale: int) -> str:
    """The first that holds it, of the NUMERIC, BIGNUMERIC and STRING that the job allows
    (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad.FIELDS.decimal_target_types)."""
    if digits <= 29 and scale <= 9:
        return "NUMERIC"
    return "BIGNUMERIC" if max(digits, scale) <= _LEAST_OF_BIGNUMERIC else "STRING"
