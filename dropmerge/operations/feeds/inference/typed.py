"""A sample of a format that has a schema: Parquet, ORC, Avro."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from dropmerge.operations.feeds.inference.errors import InferenceError
from dropmerge.operations.feeds.inference.lines import fields_of
from dropmerge.operations.feeds.inference.sample import MAX_CELLS, Field, Sample
from services.ingest.formats.typed_records import rows_of

_KINDS: Mapping[type, str] = {
    bool: "BOOL",
    int: "INT64",
    float: "FLOAT64",
    Decimal: "NUMERIC",
    str: "STRING",
    bytes: "BYTES",
    datetime: "TIMESTAMP",
    date: "DATE",
    time: "TIME",
}


def read_typed(kind: str, path: Path) -> Sample:
    """`kind`: the contract's word for the format. Raises InferenceError."""
    try:
        objects, total, kinds = _READERS[kind](path)
    except (OSError, ValueError, LookupError, TypeError, EOFError) as error:
        raise InferenceError(f"{path} begins as {kind}, and cannot be read as it: {error}") from error
    fields = [_typed(one, kinds) for one in fields_of(objects)]
    return Sample({"type": kind}, fields, len(objects), total)


def _typed(field: Field, kinds: Mapping[str, str]) -> Field:
    kind = field.type or kinds.get(field.header)
    return Field(field.header, field.values, None, kind, field.is_repeated)


def _read_parquet(path: Path) -> tuple[list[dict[str, Any]], int, dict[str, str]]:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    file = parquet.ParquetFile(path)
    most = max(1, MAX_CELLS // max(1, len(file.schema_arrow)))
    rows = rows_of(pa.Table.from_batches([one]) for one in file.iter_batches(batch_size=10_000))
    return _of_rows(list(itertools.islice(rows, most)), file.metadata.num_rows, _of_schema(file.schema_arrow))


def _read_orc(path: Path) -> tuple[list[dict[str, Any]], int, dict[str, str]]:
    import pyarrow as pa
    from pyarrow import orc

    file = orc.ORCFile(path)
    most = max(1, MAX_CELLS // max(1, len(file.schema)))
    rows = rows_of(pa.Table.from_batches([file.read_stripe(n)]) for n in range(file.nstripes))
    return _of_rows(list(itertools.islice(rows, most)), file.nrows, _of_schema(file.schema))


def _read_avro(path: Path) -> tuple[list[dict[str, Any]], int, dict[str, str]]:
    import fastavro

    with path.open("rb") as file:
        reader = fastavro.reader(file)
        first = list(itertools.islice(reader, MAX_CELLS // 10))
        total = len(first) + sum(1 for _ in reader)
    return _of_rows([one for one in first if isinstance(one, dict)], total, {})


_READERS = {"parquet": _read_parquet, "orc": _read_orc, "avro": _read_avro}


def _of_schema(schema: Any) -> dict[str, str]:
    """The types of columns in which no value was seen."""
    from pyarrow import types

    tests = {
        "INT64": types.is_integer,
        "FLOAT64": types.is_floating,
        "BOOL": types.is_boolean,
        "DATE": types.is_date,
        "TIMESTAMP": types.is_timestamp,
        "NUMERIC": types.is_decimal,
    }
    return {one.name: kind for one in schema for kind, test in tests.items() if test(one.type)}


def _of_rows(
    rows: list[dict[str, Any]], total: int, declared: Mapping[str, str]
) -> tuple[list[dict[str, Any]], int, dict[str, str]]:
    kinds: dict[str, set[str]] = {}
    objects = [_as_texts(row, "", kinds) for row in rows]
    return objects, total, {**declared, **{path: _one_of(found) for path, found in kinds.items()}}


def _one_of(kinds: set[str]) -> str:
    if kinds == {"NUMERIC", "BIGNUMERIC"}:
        return "BIGNUMERIC"
    return kinds.pop() if len(kinds) == 1 else "STRING"


def _as_texts(row: Mapping[str, Any], above: str, kinds: dict[str, set[str]]) -> dict[str, Any]:
    return {name: _as_text(value, f"{above}{name}", kinds) for name, value in row.items()}


def _as_text(value: Any, path: str, kinds: dict[str, set[str]]) -> Any:
    if isinstance(value, Mapping):
        return _as_texts(value, f"{path}.", kinds)
    if isinstance(value, list):
        return [_as_text(one, path, kinds) for one in value]
    if value is None:
        return None
    kinds.setdefault(path, set()).add(_kind(value))
    return _text(value)


def _kind(value: Any) -> str:
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        fits = isinstance(exponent, int) and -exponent <= 9 and value.adjusted() < 29
        return "NUMERIC" if fits else "BIGNUMERIC"
    return next((name for kind, name in _KINDS.items() if isinstance(value, kind)), "STRING")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
