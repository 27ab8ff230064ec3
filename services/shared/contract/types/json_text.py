"""JSON texts, read in Python as GoogleSQL reads them: of two equal names in an object the first."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

_LONGEST = 1500
"""Characters of a number; none with more is exact to GoogleSQL."""


def read(text: str) -> Any:
    """The value of PARSE_JSON with `wide_number_mode => 'exact'`.

    Raises ValueError for what is no JSON, has half a surrogate pair, or a number that would be rounded.
    """
    return _read(text, _whole, _fraction)


def read_texts(text: str) -> list[str] | None:
    """The texts of a list of scalars; None where it is no list. Raises ValueError for null and for what has parts."""
    value = _read(text, _Number, _Number)
    return [_scalar(one) for one in value] if isinstance(value, list) else None


class _Number(str):
    """A number's text, as it is written."""

    __slots__ = ()

    def __new__(cls, text: str) -> _Number:
        if math.isinf(float(text)):
            raise ValueError("beyond FLOAT64")
        return super().__new__(cls, text)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise ValueError("an element is null, or has elements itself")
    return str(value)


def _read(text: str, whole: Callable[[str], Any], fraction: Callable[[str], Any]) -> Any:
    try:
        value = json.loads(
            text, object_pairs_hook=_first, parse_int=whole, parse_float=fraction, parse_constant=_no_number
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("lists in lists, too deep to be read") from error
    return value


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _whole(text: str) -> int | float:
    if len(text) <= 20 and -(2**63) <= int(text) < 2**64:
        return int(text)
    return _fraction(text)


def _fraction(text: str) -> float:
    number = float(text)
    if math.isinf(number) or len(text) > _LONGEST or Decimal(text) != Decimal(repr(number)):
        raise ValueError("a number is not exact as a FLOAT64")
    return number


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
