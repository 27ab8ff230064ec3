"""The near miss: what a word that is none may have been meant to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches


def meant(name: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """As a question that follows a sentence; nothing where none is near."""
    folded = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), folded, n=1)
    return f"; did you mean {folded[near[0]]}?" if near else ""
