"""Which of its type's values a column may have: how long, in which pattern, and which ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from services.shared.contract.expression_constants import pattern_fault
from services.shared.contract.fault import Place
from services.shared.contract.types.base import ColumnType, Refusal
from services.shared.contract.types.repeated import Repeated
from services.shared.sql import parameter_of


class Limited(Protocol):
    """What of a column this reads."""

    @property
    def kind(self) -> ColumnType: ...

    @property
    def max_length(self) -> int | None: ...

    @property
    def pattern(self) -> str | None: ...

    @property
    def one_of(self) -> Sequence[str] | None: ...


def limit_faults(column: Limited) -> Iterator[tuple[Place, str]]:
    """What is wrong with a column's limits: place, which begins with the option's name, and sentence."""
    if isinstance(column.kind, Repeated):
        said = {"max_length": column.max_length, "one_of": column.one_of, "pattern": column.pattern}
        what = "is for one value, and a REPEATED column has many: write a check, or leave it out"
        yield from (((name,), f"{name} {what}") for name, limit in said.items() if limit is not None)
        return
    if column.pattern is not None and (fault := pattern_fault(column.pattern)):
        yield ("pattern",), f"{column.pattern!r} {fault}"
    if column.one_of is None:
        return
    kind = column.kind
    if kind.comparable("value") != "value":
        yield ("one_of",), f"one_of compares values, which those of {kind.name} are not made for: write a check"
        return
    seen: list[Any] = []
    for number, text in enumerate(column.one_of):
        if not kind.accepts(text):
            yield ("one_of", number), f"{text!r} is not the text of a {kind.name}: {kind.taken}"
        elif (value := kind.parse(text)) in seen:
            yield ("one_of", number), f"{text!r} is listed twice"
        else:
            seen.append(value)


def broken_limits(column: Limited, text: str) -> Iterator[str]:
    """A sentence on each limit that a text of the column's type does not keep."""
    if column.max_length is not None and len(text) > column.max_length:
        yield f"has {len(text)} characters, more than the {column.max_length} allowed"
    if column.pattern is not None and not _fits(column.pattern, text):
        yield f"does not fit the pattern {column.pattern!r}"
    if column.one_of is not None and column.kind.parse(text) not in map(column.kind.parse, column.one_of):
        yield f"is none of {', '.join(column.one_of)}"


def limit_refusals(column: Limited, text: str, value: str) -> Iterator[Refusal]:
    """The same as conditions on a row's text and value."""
    if column.max_length is not None:
        yield Refusal("too_long", f"CHAR_LENGTH({text}) > {column.max_length}")
    if column.pattern is not None:
        yield Refusal("pattern_mismatch", f"NOT REGEXP_CONTAINS({text}, @{parameter_of(_whole(column.pattern))})")
    if column.one_of is not None:
        yield Refusal("not_one_of", f"{value} NOT IN ({', '.join(f'@{name}' for name, _ in _values(column))})")


def limit_parameters(column: Limited) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Of those conditions: name, type and value."""
    if column.pattern is not None:
        yield parameter_of(_whole(column.pattern)), ("STRING", _whole(column.pattern))
    yield from _values(column)


def _values(column: Limited) -> Iterator[tuple[str, tuple[str, Any]]]:
    for value in map(column.kind.parse, column.one_of or ()):
        yield parameter_of(value), (column.kind.name, value)


def _whole(pattern: str) -> str:
    r"""`$` could be the end of a line, and `\A` and `\z` are always those of the text."""
    return rf"\A(?:{pattern})\z"


def _fits(pattern: str, text: str) -> bool:
    try:
        # Classes of RE2 are of ASCII.
        return re.fullmatch(pattern, text, re.ASCII) is not None
    except re.error:
        return True  # what only RE2 knows is for the warehouse to say
