"""The types that a column may have: one class each, listed here once."""

from __future__ import annotations

from difflib import get_close_matches

from services.shared.contract.types.base import ColumnType, Refusal
from services.shared.contract.types.boolean import Bool
from services.shared.contract.types.civil import Datetime, Time
from services.shared.contract.types.encoded import Bytes
from services.shared.contract.types.geography import Geography
from services.shared.contract.types.moment import Date, Timestamp
from services.shared.contract.types.number import BigNumeric, Float64, Int64, Numeric
from services.shared.contract.types.structured import Json
from services.shared.contract.types.text import String

__all__ = ["TYPES", "ColumnType", "Refusal", "table", "type_named"]

# From the narrowest to the widest: `feeds init` takes the first that accepts every value of a sample.
_ALL: tuple[ColumnType, ...] = (
    *(Bool(), Int64(), Numeric(), Float64(), Timestamp(), Date(), Datetime(), Time()),
    *(BigNumeric(), Bytes(), Geography(), Json(), String()),
)
TYPES: dict[str, ColumnType] = {one.name: one for one in _ALL}
"""By name, in the order in which a column's type is inferred."""


def type_named(name: str) -> ColumnType:
    """By its name or an alias. Raises ValueError, with the names that there are."""
    found = TYPES.get(name) or next((one for one in TYPES.values() if name in one.aliases), None)
    if found is None:
        raise ValueError(f"{name!r} is not a type{_near_miss(name)}; the types are {', '.join(sorted(TYPES))}")
    return found


def _near_miss(name: str) -> str:
    names = {known: one.name for one in TYPES.values() for known in (*one.aliases, one.name)}
    near = get_close_matches(name.upper(), names, n=1)
    return f" (did you mean {names[near[0]]}?)" if near else ""


def table() -> list[str]:
    """The lines of the documentation's table of types, in Markdown."""
    rows = [
        f"| {one.name} | {one.texts} | {'yes' if one.can_be_key else 'no'} | {'yes' if one.can_be_version else 'no'} |"
        for one in sorted(TYPES.values(), key=lambda one: one.name)
    ]
    return ["| type | texts that it accepts | key | version |", "|---|---|---|---|", *rows]
