"""JSON as GoogleSQL reads it: DuckDB's own takes what is no JSON, and writes numbers anew.

Only what a statement asks that reads JSON of files goes through these functions: PARSE_JSON with a mode for wide
numbers, paths that are parameters or the whole, JSON_TYPE, JSON_REMOVE, and JSON_KEYS to a depth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
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


_KINDS = (
    *(exp.ParseJSON, exp.JSONExtractScalar, exp.JSONExtractArray, exp.JSONExtract),
    *(exp.JSONType, exp.JSONKeysAtDepth, exp.JSONRemove),
)


def as_google(tree: Any) -> None:
    """In the tree of a statement, changed in place, calls of these functions."""
    # The innermost first: what is around them is copied with them.
    for node in reversed(list(tree.find_all(*_KINDS))):
        call = _call(node)
        if call is not None:
            node.replace(call)


def _call(node: Any) -> Any:
    """None where DuckDB's own function does."""
    match node:
        case exp.JSONType():
            of = node.this
            is_at = isinstance(of, exp.Anonymous) and of.name == "google_json_query"
            return _function("google_json_type", *(of.expressions if is_at else [of, _WHOLE]))
        case exp.JSONExtractScalar() | exp.JSONExtract() | exp.JSONExtractArray():
            path = node.expression
            if not isinstance(path, exp.Parameter) and path != _ROOT:
                return None
            return _function(_READERS[type(node)], node.this, _WHOLE if path == _ROOT else path)
        case exp.JSONRemove():
            return exp.cast(_function("google_json_remove", node.this, exp.array(*node.expressions)), "JSON")
        case exp.ParseJSON() if node.expression:
            if "exact" in node.expression.sql():
                return exp.cast(_function("google_exact_json", node.this), "JSON")
            return _function("google_parse_json", node.this)
        case exp.JSONKeysAtDepth() if node.expression:
            return _function("google_json_keys", node.this)
    return None


_WHOLE, _ROOT = exp.Literal.string("$"), exp.JSONPath(expressions=[exp.JSONPathRoot()])
_READERS: dict[type[Any], str] = {
    exp.JSONExtractScalar: "google_json_value",
    exp.JSONExtract: "google_json_query",
    exp.JSONExtractArray: "google_json_array",
}


def _function(name: str, *given: Any) -> Any:
    return exp.Anonymous(this=name, expressions=[one.copy() for one in given])


def parse_json(text: str | None) -> str | None:
    """The text, if it is JSON: RFC 8259, with numbers that a FLOAT64 can have and whole characters only."""
    try:
        _read(text or "")
    except (ValueError, RecursionError):
        return None
    return text


def exact_json(text: str | None) -> str | None:
    """JSON as GoogleSQL writes it, if that has each number as it is."""
    try:
        return _written(json.loads(text or "", **_AS_IT_IS)) if _read(text or "") is not _NOTHING else None
    except (ValueError, RecursionError):
        return None


def json_query(text: str | None, path: str | None) -> str | None:
    """The JSON at a path, without blanks, its numbers as they are written; NULL where nothing is."""
    value = _at(text, path)
    return None if value is _NOTHING else _written(value)


def json_array(text: str | None, path: str | None) -> list[str] | None:
    """The elements of a list; NULL where there is none."""
    value = _at(text, path)
    return [_written(one) for one in value] if isinstance(value, list) else None


def json_remove(text: str | None, paths: list[str]) -> str | None:
    """Without what is at these paths."""
    value = _at(text, "$")
    if value is _NOTHING:
        return None
    for path in paths:
        *above, name = _names(path)
        value = _without(value, above, name)
    return _written(value)


def _without(value: Any, above: list[str], name: str) -> Any:
    if not isinstance(value, dict) or (above and above[0] not in value):
        return value
    if above:
        return {**value, above[0]: _without(value[above[0]], above[1:], name)}
    return {key: one for key, one in value.items() if key != name}


def _written(value: Any) -> str:
    """Names sorted, as GoogleSQL has them."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode())
        return f"{{{','.join(f'{json.dumps(name, ensure_ascii=False)}:{_written(one)}' for name, one in pairs)}}}"
    return json.dumps(value, ensure_ascii=False)


def json_value(text: str | None, path: str | None) -> str | None:
    """The text of a string, number or boolean at a path; NULL of anything else."""
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
    for name in _names(path):
        value = value.get(name, _NOTHING) if isinstance(value, dict) else _NOTHING
    return value


@lru_cache(4096)
def _names(path: str) -> list[str]:
    """Of `$."a"."b"`."""
    return re.findall(r'[.]"([^"]*)"', path)


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


def _exact_whole(text: str) -> _Number:
    is_short = len(text) <= 20 and -(2**63) <= int(text) < 2**64
    return _Number(str(int(text))) if is_short else _exact(text)


def _exact(text: str) -> _Number:
    number = float(text)
    if Decimal(text) != Decimal(repr(number)):
        raise ValueError(f"{text} would be rounded")
    return _Number(repr(number))


def _no_number(text: str) -> _Number:
    raise ValueError(f"{text} is not JSON")


_AS_IT_IS: dict[str, Any] = {
    "object_pairs_hook": _first,
    "parse_int": _exact_whole,
    "parse_float": _exact,
    "parse_constant": _no_number,
}


def _register(self: Any) -> None:
    """Registers bqemulator's functions, and these."""
    _original["register"](self)
    functions = (
        ("google_parse_json", parse_json, 1, "VARCHAR"),
        ("google_exact_json", exact_json, 1, "VARCHAR"),
        ("google_json_query", json_query, 2, "VARCHAR"),
        ("google_json_array", json_array, 2, "VARCHAR[]"),
        ("google_json_value", json_value, 2, "VARCHAR"),
        ("google_json_type", json_type, 2, "VARCHAR"),
        ("google_json_keys", json_keys, 1, "VARCHAR[]"),
    )
    for name, function, count, result in functions:
        self._connection.create_function(name, function, ["VARCHAR"] * count, result, null_handling="special")
    self._connection.create_function(
        "google_json_remove", json_remove, ["VARCHAR", "VARCHAR[]"], "VARCHAR", null_handling="special"
    )
