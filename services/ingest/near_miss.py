"""Names that are not the same, and that people take for the same."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

_MAX_COMPARED = 1_000


def respelt(names: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """Those of the names that differ from a wanted one in case, blanks and signs only, each with the wanted one."""
    by_spelling = {_folded(name): name for name in wanted if _folded(name)}
    return {name: by_spelling[_folded(name)] for name in names if _folded(name) in by_spelling}


def closest(name: str, others: Sequence[str], likeness: float = 0.6) -> str | None:
    """Which of the others, of very many the first, is like the name; None if none is. `likeness`: 1 is the same."""
    folded = {_folded(other): other for other in others[:_MAX_COMPARED]}
    near = difflib.get_close_matches(_folded(name), folded, n=1, cutoff=likeness)
    return folded[near[0]] if near else None


def letters(name: str) -> str:
    """The letters and digits of a name, in lower case: what SQL can compare, where `respelt` knows more."""
    return re.sub(r"[\W_]+", "", name.lower())


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())
