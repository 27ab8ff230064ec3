"""What was read of a sample, whatever its format: columns of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

MAX_CELLS = 4_000_000
"""What is looked at of a sample: rows times columns."""


@dataclass(frozen=True)
class Field:
    """A column of the sample."""

    header: str
    """Its name in the file, or the path to it; empty where it has none."""
    values: Sequence[str | None]
    """Its texts, one for each row; None where it is absent or empty."""
    place: int | None = None
    """From 1; where only that tells it from others."""
    type: str | None = None
    """Where the file's own schema has one."""
    is_repeated: bool = False
    """Whether its texts are JSON arrays of scalars."""

    @cached_property
    def texts(self) -> Counter[str]:
        """Its different texts, and how many rows have each."""
        return Counter(value for value in self.values if value is not None)


@dataclass(frozen=True)
class Sample:
    format: Mapping[str, object]
    """As the contract has it."""
    fields: Sequence[Field]
    rows: int
    """So many were read."""
    total: int
    """So many the file has."""
    broken: int = 0
    """Of those that were read: records that a contract like this refuses as a whole."""
    remarks: Sequence[str] = field(default=())
    """What the reader of the contract should know about how the file is read."""
