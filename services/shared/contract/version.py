"""What says which of two rows of a key is newer: columns, compared one after the other, or the newest file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from services.shared.contract.fault import Fault, Place, refuse
from services.shared.contract.meant import meant

GENERATION = "_generation"
"""As version: the newest file wins."""
ANY = "any"
"""As `ahead`: no time is too far ahead."""
DEFAULT_AHEAD = "24h"
_UNITS = {"m": "MINUTE", "h": "HOUR", "d": "DAY"}
_AHEAD = f"{ANY}, or a number of minutes, hours or days, such as 30m, 24h or 7d"
_COLUMN = "the name of a column"


@dataclass(frozen=True)
class VersionColumn:
    name: str
    ahead: str = DEFAULT_AHEAD
    """How far after the object's creation a value may lie, as the contract has it."""
    place: Place = field(default=("version",), compare=False)
    """Of the name in the contract."""

    @property
    def limit(self) -> str | None:
        """SQL of the last instant that is not too far ahead of `@created`; None where none is."""
        if self.ahead == ANY:
            return None
        return f"TIMESTAMP_ADD(@created, INTERVAL {int(self.ahead[:-1])} {_UNITS[self.ahead[-1]]})"


@dataclass(frozen=True)
class Version:
    """Of a feed: the columns, from the one that decides first; none where the newest file wins."""

    columns: tuple[VersionColumn, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.columns)

    def __str__(self) -> str:
        return ", ".join(self.names) or GENERATION


def read_version(value: object) -> Version | None:
    """As the contract has it: a name, a mapping, or a list of both; None for nothing. Raises ValidationError."""
    if value in (None, [], ""):
        return None
    if isinstance(value, Version):
        return value
    if isinstance(value, list) and value:
        return _read_list(value)
    found, faults = _read_one(value, ())
    if found is None and not faults:
        raise PydanticCustomError("version", "neither")
    refuse("version", faults)
    return Version((found,) if found and found.name != GENERATION else ())


def _read_list(values: Sequence[object]) -> Version:
    columns: list[VersionColumn] = []
    faults: list[Fault] = []
    for number, value in enumerate(values):
        found, wrong = _read_one(value, (number,))
        if found is None and not wrong:
            wrong = [Fault((number,), f"is not {_COLUMN}, or a mapping such as {{column: updated, ahead: 7d}}")]
        if found and found.name in [one.name for one in columns]:
            wrong = [Fault((number,), f"{found.name} is listed twice")]
        elif found and found.name == GENERATION and number + 1 < len(values):
            wrong = [Fault((number,), f"{GENERATION} differs for all rows of two files: nothing after it is compared")]
        elif found:
            columns.append(found)
        faults += wrong
    refuse("version", faults)
    return Version(tuple(one for one in columns if one.name != GENERATION))


def _read_one(value: object, place: Place) -> tuple[VersionColumn | None, list[Fault]]:
    if isinstance(value, str):
        is_name = re.fullmatch(rf"{GENERATION}|[A-Za-z][A-Za-z0-9_]{{0,127}}", value)
        return (VersionColumn(value, place=("version", *place)) if is_name else None), []
    if isinstance(value, Mapping):
        faults = list(_faults_of(value, place))
        if faults:
            return None, faults
        name, ahead = str(value["column"]), str(value.get("ahead", DEFAULT_AHEAD))
        return VersionColumn(name, ahead, ("version", *place, "column")), []
    return None, []


def _faults_of(value: Mapping[object, object], place: Place) -> Iterator[Fault]:
    known = ("column", "ahead")
    for key in value:
        if key not in known:
            hint = meant(str(key), known) or f"; there are {', '.join(known)}"
            yield Fault((*place, str(key)), f"is not an option of a version{hint}")
    name, ahead = value.get("column"), value.get("ahead", DEFAULT_AHEAD)
    if "column" not in value:
        yield Fault((*place, "column"), f"is missing; it is {_COLUMN}")
    elif not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,127}", name):
        yield Fault((*place, "column"), f"{name!r} is not {_COLUMN}")
    if not isinstance(ahead, str) or not re.fullmatch(rf"{ANY}|[0-9]{{1,5}}[mhd]", ahead):
        yield Fault((*place, "ahead"), f"{ahead!r} is not {_AHEAD}")


def _plain(version: Version | None) -> object:
    """As the shortest contract that says the same has it."""
    if version is None:
        return None
    columns = [
        one.name if one.ahead == DEFAULT_AHEAD else {"column": one.name, "ahead": one.ahead} for one in version.columns
    ]
    return columns if len(columns) > 1 else (columns or [GENERATION])[0]


_NAMED = {"type": "string", "pattern": rf"^({GENERATION}|[A-Za-z][A-Za-z0-9_]{{0,127}})$"}
_MAPPING = {
    "type": "object",
    "additionalProperties": False,
    "required": ["column"],
    "properties": {
        "column": {**_NAMED, "pattern": "^[A-Za-z][A-Za-z0-9_]{0,127}$", "description": _COLUMN},
        "ahead": {
            **{"type": "string", "pattern": rf"^({ANY}|[0-9]{{1,5}}[mhd])$", "default": DEFAULT_AHEAD},
            "description": _AHEAD,
        },
    },
}
_LIST = {"type": "array", "minItems": 1, "items": {"anyOf": [_NAMED, _MAPPING]}}
InContract = Annotated[
    Version | None,
    PlainValidator(read_version),
    PlainSerializer(_plain),
    WithJsonSchema({"anyOf": [_NAMED, _MAPPING, _LIST, {"type": "null"}]}),
]
