"""JSON as GoogleSQL reads it: DuckDB's own takes what is no JSON, and writes numbers anew.

Only what a statement asks that reads lines of JSON goes through these functions: PARSE_JSON with a mode for wide
numbers, paths that are parameters, JSON_TYPE, and JSON_KEYS to a depth.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bqemulator.storage.engine import DuckDBEngine
from sqlglot import exp

from localcloud.warehouse.replace import replace

_SHORT = 10_000
"""Characters of a text that is worth remembering: each of a line's fields asks for it again."""
_original: dict[str, Callable[..., Any]] = {}


class _Number(str):
    """A number's text, as it is written."""

    __slots__ = ()


def set_up() -> None:
    """Adds the functions to each engine; called before the server is made."""
    _original["register"] = replace(DuckDBEngine, "_register_builtin_udfs", _register)


def as_google(tree: Any) -> None:
    """In the tree of a statement, changed in place, calls of these functions."""
    # The innermost first: what is around them is copied with them.
    for node in reversed(list(tree.find_all(exp.ParseJSON, exp.JSONExtractScalar, exp.JSONType, exp.JSONKeysAtDepth))):
        call = _call(node)
        if call is not None:
            node.replace(call)


def _call(node: Any) -> Any:
    """None where DuckDB's own function does."""
    if isinstance(node, exp.JSONType):
        of = node.this
        is_at = isinstance(of, exp.JSONExtract) and isinstance(of.expression, exp.Parameter)
        return _function("google_json_type", *([of.this, of.expression] if is_at else [of, exp.Literal.string("$")]))
    if isinstance(node, exp.JSONExtractScalar):
        is_path = isinstance(node.expression, exp.Parameter)
        return _function("google_json_value", node.this, node.expression) if is_path else None
    if not node.expression:
        return None
    name = "google_parse_json" if isinstance(node, exp.ParseJSON) else "google_json_keys"
    return _function(name, node.this)


def _function(name: str, *given: Any) -> Any:
    return exp.Anonymous(this=name, expressions=[one.copy() for one in given])


def parse_json(text: str | None) -> str | None:
    """The text, if it is JSON: RFC 8259, with numbers that a FLOAT64 can have and whole characters only."""
    try:
        _read(text or "")
    except (ValueError, RecursionError):
        return None
    return text


def json_value(text: str | None, path: str | None) -> str | None:
    """The text of a string, number or boolean at `$."name"`; NULL of anything else."""
    value = _at(text, path)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None


def json_type(text: str | None, path: str | None) -> str | None:
    """GoogleSQL's word for what is there; NULL where nothing is."""
    value = _at(text, path)
    if value is _NOTHING:
        return None
    kinds = {dict: "object", list: "array", bool: "boolean", _Number: "number", str: "string", type(None): "null"}
    return kinds[type(value)]


def json_keys(text: str | None) -> list[str]:
    """Names of an object, those with a dot or an escape in quotes."""
    value = _at(text, "$")
    if not isinstance(value, dict):
        return []
    written = {name: json.dumps(name, ensure_ascii=False) for name in value}
    return sorted(name if text == f'"{name}"' and "." not in name else text for name, text in written.items())


_NOTHING = object()


def _at(text: str | None, path: str | None) -> Any:
    if text is None or path is None:
        return _NOTHING
    try:
        value = _remembered(text) if len(text) <= _SHORT else _read(text)
    except (ValueError, RecursionError):
        return _NOTHING
    if path == "$":
        return value
    return value.get(path[3:-1], _NOTHING) if isinstance(value, dict) else _NOTHING


def _read(text: str) -> Any:
    value = json.loads(
        text, object_pairs_hook=_first, parse_int=_number, parse_float=_number, parse_constant=_no_number
    )
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is an error
    return value


_remembered = lru_cache(4096)(_read)


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two equal names the first counts."""
    return dict(reversed(pairs))


def _number(text: str) -> _Number:
    if abs(float(text)) == float("inf"):
        raise ValueError("beyond FLOAT64")
    return _Number(text)


def _no_number(text: str) -> _Number:
    raise ValueError(f"{text} is not JSON")


def _register(self: Any) -> None:
    """Registers bqemulator's functions, and these."""
    _original["register"](self)
    functions = (
        ("google_parse_json", parse_json, 1, "VARCHAR"),
        ("google_json_value", json_value, 2, "VARCHAR"),
        ("google_json_type", json_type, 2, "VARCHAR"),
        ("google_json_keys", json_keys, 1, "VARCHAR[]"),
    )
    for name, function, count, result in functions:
        self._connection.create_function(name, function, ["VARCHAR"] * count, result, null_handling="special")
