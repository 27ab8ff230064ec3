"""The schema of a Parquet, Avro or ORC file, as far as the texts of its fields depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from services.ingest.formats.raw_field import loaded_name

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

_ANY = "STRING"
"""What stands for every type whose text the value alone decides."""
_LOGICAL = {
    **dict.fromkeys(("timestamp-millis", "timestamp-micros"), "TIMESTAMP"),
    **dict.fromkeys(("local-timestamp-millis", "local-timestamp-micros"), "DATETIME"),
}
_PRIMITIVE = {"float": "FLOAT", "double": "FLOAT"}
"""Avro's types."""


@dataclass(frozen=True)
class Node:
    """A field of a file's schema."""

    name: str
    """In the file."""
    kind: str
    is_repeated: bool = False
    inner: tuple[Node, ...] = ()
    """Of a struct, or of many; of a map its key and its value."""
    is_map: bool = False
    """Of pairs: an array of them, or in Parquet a struct with that."""

    @property
    def schema(self) -> SchemaField:
        from google.cloud import bigquery

        fields = [one.schema for one in self.inner]
        if self.is_map and not self.is_repeated:
            fields = [bigquery.SchemaField("key_value", "RECORD", "REPEATED", fields=fields)]
        mode = "REPEATED" if self.is_repeated else "NULLABLE"
        return bigquery.SchemaField(loaded_name(self.name), self.kind, mode, fields=fields)


def of_arrow(name: str, kind: Any, is_parquet: bool) -> Node:
    """Of a field of this type of Arrow."""
    from pyarrow import types  # type: ignore[import-untyped]

    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return replace(of_arrow(name, kind.value_type, is_parquet), is_repeated=True)
    if types.is_map(kind):
        pair = (of_arrow("key", kind.key_type, is_parquet), of_arrow("value", kind.item_type, is_parquet))
        return Node(name, "RECORD", not is_parquet, pair, is_map=True)
    if types.is_struct(kind):
        return Node(name, "RECORD", inner=tuple(of_arrow(one.name, one.type, is_parquet) for one in kind))
    if types.is_dictionary(kind):
        return of_arrow(name, kind.value_type, is_parquet)
    if types.is_floating(kind):
        return Node(name, "FLOAT")
    return Node(name, "TIMESTAMP" if types.is_timestamp(kind) else _ANY)


def of_avro_schema(schema: Any) -> tuple[Node, ...]:
    """The fields of a record's schema. Raises ValueError."""
    return _of_avro("", schema, {}).inner


def _of_avro(name: str, kind: Any, named: dict[str, Node]) -> Node:
    if isinstance(kind, list):
        others = [one for one in kind if one != "null"]
        # Of several types BigQuery makes a struct, of which no text is made here.
        return _of_avro(name, others[0], named) if len(others) == 1 else Node(name, "RECORD" if others else _ANY)
    if isinstance(kind, str):
        return replace(named[kind], name=name) if kind in named else Node(name, _PRIMITIVE.get(kind, _ANY))
    made = _made(name, kind, named)
    if "name" in kind:
        named[kind["name"]] = made
    return made


def _made(name: str, kind: Mapping[str, Any], named: dict[str, Node]) -> Node:
    logical = kind.get("logicalType")
    match kind["type"]:
        case "record":
            return Node(
                name, "RECORD", inner=tuple(_of_avro(one["name"], one["type"], named) for one in kind["fields"])
            )
        case "array":
            return replace(_of_avro(name, kind["items"], named), is_repeated=True)
        case "map":
            pair = (Node("key", _ANY), _of_avro("value", kind["values"], named))
            return Node(name, "RECORD", is_repeated=True, inner=pair, is_map=True)
    if logical is not None:
        return Node(name, _LOGICAL.get(logical, _ANY))
    return _of_avro(name, kind["type"], named) if kind["type"] in _PRIMITIVE else Node(name, _ANY)
