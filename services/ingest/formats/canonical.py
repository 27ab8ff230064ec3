"""The canonical text of a typed value, in SQL that depends on no default of a project.

A struct and an array are JSON, made of the texts of what is in them: TO_JSON_STRING would quote integers beyond 2^53
(https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_encodings).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from services.ingest.formats.raw_field import kind_of, quoted
from services.shared.errors import PermanentError

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

_PLAIN_IN_JSON = ("INTEGER", "NUMERIC", "BIGNUMERIC", "BOOLEAN")


def text(value: str, schema: SchemaField, depth: int = 0) -> str:
    """SQL of a value's text; NULL for NULL. Raises PermanentError for a type that is not read."""
    if schema.mode != "REPEATED":
        return _single(value, schema, depth)
    element, place = f"_element_{depth}", f"_place_{depth}"
    found = _json(element, schema, _single(element, schema, depth + 1))
    unnested = f"UNNEST({value}) AS {element} WITH OFFSET AS {place} ORDER BY {place}"
    texts = f"ARRAY_TO_STRING(ARRAY(SELECT {found} FROM {unnested}), ',')"  # noqa: S608 - an expression
    return f"IF({value} IS NULL, NULL, CONCAT('[', {texts}, ']'))"


def _single(value: str, schema: SchemaField, depth: int) -> str:
    """Of a value that is no array, or of an array's element."""
    if kind_of(schema) == "RECORD":
        return _of_struct(value, schema, depth)
    found = _TEXTS.get(kind_of(schema))
    if found is None:
        raise PermanentError(
            "wrong_header", f"{schema.name[:60]!r} is {schema.field_type}, which dropmerge does not read"
        )
    return found(value)


def _of_struct(value: str, schema: SchemaField, depth: int) -> str:
    parts = []
    for one in schema.fields:
        inner = f"{value}.{quoted(one.name)}"
        found = text(inner, one, depth)
        as_json = f"IFNULL({found}, '[]')" if one.mode == "REPEATED" else _json(inner, one, found)
        parts.append(f"""'"{one.name}":', {as_json}""")
    inside = ", ',', ".join(parts)
    return f"IF({value} IS NULL, NULL, CONCAT('{{', {inside}, '}}'))"


def _json(value: str, schema: SchemaField, found: str) -> str:
    kind = kind_of(schema)
    if kind in (*_PLAIN_IN_JSON, "RECORD"):
        return f"IFNULL({found}, 'null')"
    if kind == "FLOAT":
        return f"IF({value} IS NULL, 'null', IF(IS_NAN({value}) OR IS_INF({value}), TO_JSON_STRING({found}), {found}))"
    return f"IF({value} IS NULL, 'null', TO_JSON_STRING({found}))"


def _float(value: str) -> str:
    """The fewest digits that are this number again: Google's own CAST takes 17 where 15 are too few."""
    tries = "".join(
        f" WHEN SAFE_CAST(FORMAT('%.{digits}g', {value}) AS FLOAT64) = {value} THEN FORMAT('%.{digits}g', {value})"
        for digits in (15, 16)
    )
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN IS_NAN({value}) THEN 'NaN'"
        f" WHEN IS_INF({value}) THEN IF({value} > 0, 'Infinity', '-Infinity')"
        f" WHEN {value} = 0 THEN '0'{tries} ELSE FORMAT('%.17g', {value}) END"
    )


def _decimal(value: str) -> str:
    number = f"CAST({value} AS STRING)"
    return f"IF(STRPOS({number}, '.') > 0, RTRIM(RTRIM({number}, '0'), '.'), {number})"


def _cast(value: str) -> str:
    return f"CAST({value} AS STRING)"


_TEXTS: Mapping[str, Callable[[str], str]] = {
    "STRING": str,
    "BYTES": lambda value: f"TO_BASE64({value})",
    "INTEGER": _cast,
    "BOOLEAN": _cast,
    "DATE": _cast,
    "FLOAT": _float,
    "NUMERIC": _decimal,
    "BIGNUMERIC": _decimal,
    "TIME": lambda value: f"FORMAT_TIME('%H:%M:%E6S', {value})",
    "DATETIME": lambda value: f"FORMAT_DATETIME('%E4Y-%m-%dT%H:%M:%E6S', {value})",
    "TIMESTAMP": lambda value: f"FORMAT_TIMESTAMP('%E4Y-%m-%dT%H:%M:%E6SZ', {value}, 'UTC')",
}
"""By a field's type."""
