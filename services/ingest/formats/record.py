"""A record of a file, as Python reads it, for people who look for it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    number: int
    """From 1; neither a header nor blank lines count."""
    line: int | None
    """The line of the file that it begins on, from 1, as an editor counts them; None where a file has no lines."""
    fields: Mapping[str, str]
    """By raw name; of lines the line as `_line`."""
