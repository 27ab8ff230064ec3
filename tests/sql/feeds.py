"""Contracts that differ in every feature that shapes a statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from services.shared.feed import Feed, Type

TYPES: tuple[str, ...] = get_args(Type)
_CHECKS = {
    "STRING": "value LIKE 'a%' AND LENGTH(value) < 10",
    "INT64": "value BETWEEN 300 AND 850 OR value IS NULL",
    "NUMERIC": "value >= NUMERIC '0.5' AND MOD(value, 2) = 0",
    "FLOAT64": "value > 0.5 AND NOT IS_NAN(value)",
    "BOOL": "value IS NOT FALSE",
    "DATE": "value > DATE '2000-01-01' AND EXTRACT(YEAR FROM value) < 2100",
    "TIMESTAMP": "value > TIMESTAMP '2000-01-01 00:00:00+00:00'",
}


def _column(name: str, kind: str = "STRING", **more: object) -> dict[str, object]:
    return {"name": name, "type": kind, **more}


def _feed(name: str, columns: list[dict[str, object]], key: list[str], **more: object) -> tuple[str, Feed]:
    fields: dict[str, Any] = {
        "feed": name,
        "objects": f"incoming/{name}/*",
        "format": {"type": "csv"},
        "table": f"main.{name}",
        "key": key,
        "version": "version",
        "columns": columns,
        **more,
    }
    return name, Feed.model_validate(fields)


def _features() -> Iterator[tuple[str, Feed]]:
    key, version = _column("id"), _column("version", "TIMESTAMP")
    delete = {"column": "operation", "equals": "D"}
    for kind in TYPES:
        value = _column("value", kind, check=_CHECKS[kind])
        yield _feed(f"checked_{kind.lower()}", [key, value, version], ["id"], delete=delete)
        yield _feed(f"required_{kind.lower()}", [key, _column("value", kind, mode="REQUIRED"), version], ["id"])
    for kind in TYPES:
        if kind != "FLOAT64":
            yield _feed(f"key_{kind.lower()}", [_column("id", kind), version], ["id"], delete=delete)
    for kind in ("TIMESTAMP", "DATE", "INT64", "NUMERIC"):
        yield _feed(f"version_{kind.lower()}", [key, _column("version", kind)], ["id"], delete=delete)
    several = [_column(f"k{n}", kind) for n, kind in enumerate(("STRING", "INT64", "DATE", "BOOL", "NUMERIC"))]
    for count in (2, 5):
        names = [f"k{n}" for n in range(count)]
        yield _feed(f"keys_{count}", [*several[:count], version, _column("value")], names, delete=delete)
    words = ["select", "from", "order", "group", "table", "t", "s", "raw", "typed", "checked", "feed", "merges", "load_id"]
    yield _feed("reserved_words", [key, *map(_column, words), version], ["id", "select"], delete=delete)
    yield _feed("status", [key, _column("status"), version], ["id"])  # a column named as its table
    yield _feed("quoted_check", [key, _column("order", check="`order` != 'it''s'"), version], ["id"])
    yield _feed("long_names", [key, _column("n" * 128), _column("N" * 127 + "x", "NUMERIC"), version], ["id"])
    yield _feed("unknown_ignored", [key, _column("value"), version], ["id"], unknown_columns="ignore")
    yield _feed("tolerant", [key, _column("value", "INT64"), version], ["id"], bad_rows={"at_most": "100%"})
    yield _feed("odd_marker", [key, version], ["id"], delete={"column": "gone", "equals": "it's \\ \"D\""})


def features() -> Mapping[str, Feed]:
    return dict(_features())


def wide(columns: int) -> Feed:
    """Every type in turn."""
    kinds = [_column(f"column_with_a_long_name_{n}", TYPES[n % len(TYPES)]) for n in range(columns)]
    return _feed("wide", [_column("id"), _column("version", "TIMESTAMP"), *kinds], ["id"])[1]
