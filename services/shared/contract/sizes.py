"""Sizes in bytes, as a contract and an error say them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
PATTERN = r"^[1-9][0-9]{0,14} ?([KMGTP]iB|B)$"
"""Of a size with its unit, of which each is 1,024 of the one before."""
_MOST = 2**63 - 1
"""The API's numbers have 64 bits."""


def parse_bytes(value: object) -> int:
    """Of a number of bytes, or of a text such as `100 GiB`. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST:
        return value
    if isinstance(value, str) and re.match(PATTERN, value):
        number, unit = re.findall(r"\d+|\w+", value)
        size: int = int(number) * 1024 ** UNITS.index(unit)
        if size <= _MOST:
            return size
    raise ValueError(f"{value!r} is no size")


def as_bytes(size: int) -> str:
    """The number, and what it is in the largest unit that it has one of: `10485760 bytes (10.0 MiB)`."""
    step = max(0, min(len(UNITS) - 1, (max(size, 1).bit_length() - 1) // 10))
    shown = f" ({size / 1024**step:,.1f} {UNITS[step]})" if step else ""
    return f"{size} bytes{shown}"


def _max_bytes(value: object) -> int:
    try:
        return parse_bytes(value)
    except ValueError as error:
        raise PydanticCustomError("bytes", "no size") from error


_Written = Annotated[int, Field(gt=0, le=_MOST)] | Annotated[str, StringConstraints(pattern=PATTERN)]
MaxBytes = Annotated[int | None, BeforeValidator(_max_bytes, json_schema_input_type=_Written)]
