"""GEOGRAPHY in the local warehouse: a text, WKT of which the grammar and the globe's degrees are checked.

DuckDB's own takes an extension of 80 MB. No edge runs along a great circle here, no polygon that crosses itself is
refused, and there are no functions but ST_ASTEXT and the two that read a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from bqemulator.sql import parameters
from bqemulator.storage import type_map
from bqemulator.storage.engine import DuckDBEngine
from sqlglot import exp

from localcloud.warehouse.replace import replace

_original: dict[str, Callable[..., Any]] = {}
_MAKERS = {"ST_GEOGFROMTEXT": "google_wkt", "ST_GEOGFROMGEOJSON": "google_wkt_of_geojson"}
_DEPTHS = {"POINT": 0, "LINESTRING": 1, "MULTIPOINT": 1, "POLYGON": 2, "MULTILINESTRING": 2, "MULTIPOLYGON": 3}
"""Parentheses around a position, less one."""
_TOKEN = re.compile(r"\s*(?:([(),])|([A-Za-z]+)|([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))")


def set_up() -> None:
    """Replaces the type, and adds the functions to each engine; called before the server is made."""
    _original["register"] = replace(DuckDBEngine, "_register_builtin_udfs", _register)
    parameters._BQ_SCALAR_TO_DUCKDB["GEOGRAPHY"] = "VARCHAR"
    type_map._BQ_TO_DUCKDB["GEOGRAPHY"] = "VARCHAR"


def as_google(tree: Any) -> None:
    """In the tree of a statement, changed in place, calls of these functions."""
    for kind in list(tree.find_all(exp.DataType)):
        if kind.this in (exp.DataType.Type.GEOGRAPHY, exp.DataType.Type.GEOMETRY):
            kind.set("this", exp.DataType.Type.VARCHAR)
    for node in reversed(list(tree.find_all(exp.Anonymous))):
        name = str(node.this).upper()
        if name in _MAKERS:
            node.set("this", _MAKERS[name])
        elif name == "ST_ASTEXT":
            node.replace(exp.paren(node.expressions[0].copy()))


def wkt(text: str | None) -> str | None:
    """WKT of two dimensions within the globe's degrees, as BigQuery writes it; NULL for what is none."""
    try:
        tokens = _tokens(text or "")
        found = _shape(tokens)
    except (ValueError, IndexError, RecursionError):
        return None
    return None if tokens else found


def wkt_of_geojson(text: str | None) -> str | None:
    """The WKT of a GeoJSON geometry."""
    try:
        return wkt(_of_geojson(json.loads(text or "")))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def _tokens(text: str) -> list[str]:
    """The last first."""
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError("no WKT")
        found.append(next(part for part in token.groups() if part))
        at = token.end()
    return found[::-1]


def _shape(tokens: list[str]) -> str:
    kind = tokens.pop().upper()
    if kind not in (*_DEPTHS, "GEOMETRYCOLLECTION"):
        raise ValueError("no WKT")
    if tokens[-1].upper() == "EMPTY":
        return f"{kind} {tokens.pop().upper()}"
    if kind == "GEOMETRYCOLLECTION":
        return kind + _enclosed(tokens, lambda: _list(tokens, lambda: _shape(tokens)))
    return kind + _enclosed(tokens, lambda: _inside(tokens, _DEPTHS[kind]))


def _inside(tokens: list[str], depth: int) -> str:
    """What stands between parentheses: a position, or several of what is a level below."""
    if depth == 0:
        return _position(tokens)

    def one() -> str:
        if depth > 1:
            return _enclosed(tokens, lambda: _inside(tokens, depth - 1))
        return _enclosed(tokens, lambda: _position(tokens))[1:-1] if tokens[-1] == "(" else _position(tokens)

    return _list(tokens, one)


def _position(tokens: list[str]) -> str:
    longitude, latitude = float(tokens.pop()), float(tokens.pop())
    if not -90 <= latitude <= 90:
        raise ValueError("beyond a pole")
    return f"{longitude:.15g} {latitude:.15g}"


def _list(tokens: list[str], one: Callable[[], str]) -> str:
    found = [one()]
    while tokens[-1] == ",":
        tokens.pop()
        found.append(one())
    return ", ".join(found)


def _enclosed(tokens: list[str], inside: Callable[[], str]) -> str:
    _expect(tokens, "(")
    found = inside()
    _expect(tokens, ")")
    return f"({found})"


def _expect(tokens: list[str], sign: str) -> None:
    if tokens.pop() != sign:
        raise ValueError("no WKT")


def _of_geojson(value: dict[str, Any]) -> str:
    kind = value["type"].upper()
    if kind == "GEOMETRYCOLLECTION":
        return f"{kind} ({', '.join(map(_of_geojson, value['geometries']))})"
    return f"{kind} {_coordinates(value['coordinates'], outer=True)}"


def _coordinates(value: Any, outer: bool = False) -> str:
    if isinstance(value[0], list):
        return f"({', '.join(map(_coordinates, value))})"
    position = " ".join(repr(float(one)) for one in value)
    return f"({position})" if outer else position


def _register(self: Any) -> None:
    _original["register"](self)
    for name, function in (("google_wkt", wkt), ("google_wkt_of_geojson", wkt_of_geojson)):
        self._connection.create_function(name, function, ["VARCHAR"], "VARCHAR", null_handling="special")
