"""Which names of a file an error may show: of a file without a header they are the values of its first row."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import islice

from services.ingest.near_miss import closest, respelt

_VALUE = re.compile(
    r"""
      \s*[-+]?[$€]?\s?\d[\d.,:/\ TZ%+-]*    # a number, a date or a time
    | .*\d{5}.*                              # an identifier with a number in it
    | \S+@\S+[.]\S+                          # an address
    | .*\r(?!\n).*                           # a line end that was not taken for one
    """,
    re.VERBOSE | re.DOTALL,
)
_MAX_NAME = 300
"""Characters of a column's name at most (https://cloud.google.com/bigquery/docs/schemas#column_names)."""
_MAX_COMPARED = 100
_ALIKE = 0.8
"""How much a name must be like a column's to make a header: Amelie is like `name` by 0.6."""


def looks_like_value(name: str) -> bool:
    """Whether a name is one that hardly any column has, and a value may be."""
    return len(name) > _MAX_NAME or _VALUE.fullmatch(name) is not None


def shown_names(names: Sequence[str], known: Collection[str]) -> Collection[str]:
    """All of a file's names where they are those of columns; else the ones that differ from what the contract knows in
    case, blanks and signs only.

    They are names of columns where one of them is known, or much like one that is, and none looks like a value.
    """
    alike = {*(name for name in names if name in known), *respelt(names, known)}
    if any(map(looks_like_value, names)):
        return alike
    return set(names) if alike or _is_like(names, tuple(known)) else alike


def _is_like(names: Sequence[str], known: Sequence[str]) -> bool:
    words = (name for name in islice(names, _MAX_COMPARED) if not re.search(r"\d", name))
    return any(closest(name, known, _ALIKE) for name in words)
