"""A line of NDJSON, read in Python as the statement that checks rows reads it."""

from __future__ import annotations

import json
from typing import Any


class Number(str):
    """A number's text, as it is written."""

    __slots__ = ()


def read(line: str) -> dict[str, Any] | None:
    """The object of a line: its numbers as `Number`, of two equal names the first. None where it is no JSON object."""
    try:
        value = json.loads(
            line, object_pairs_hook=_first, parse_int=_number, parse_float=_number, parse_constant=_no_number
        )
        if "\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _number(text: str) -> Number:
    if abs(float(text)) == float("inf"):
        raise ValueError("beyond FLOAT64")
    return Number(text)


def _no_number(text: str) -> Number:
    raise ValueError(f"{text} is not JSON")
