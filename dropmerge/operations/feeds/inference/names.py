"""Names of columns for a file whose header has names that no column can have."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_LONGEST = 100
"""Room is left for a number."""


def column_names(header: Sequence[str]) -> list[str]:
    """Of each column: its name in the file, or what is nearest to it. BigQuery ignores case."""
    names: list[str] = []
    kept = {name.lower() for name in header if _NAME.fullmatch(name)}
    for number, name in enumerate(header, 1):
        taken = {one.lower() for one in names}
        is_fit = _NAME.fullmatch(name) and name.lower() not in taken
        names.append(name if is_fit else _free(_folded(name) or f"column_{number}", taken | kept))
    return names


def _folded(name: str) -> str:
    """In small letters, digits and underscores; nothing where that leaves nothing."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = "_".join(re.findall("[a-z0-9]+", plain))[:_LONGEST]
    return f"column_{words}" if words[:1].isdigit() else words


def _free(name: str, taken: set[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found
