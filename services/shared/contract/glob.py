"""Which object names a pattern means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache


def matches(glob: str, object_name: str) -> bool:
    """Whether the pattern means the object: ** crosses folders, * and ? do not."""
    return _compiled(glob).fullmatch(object_name) is not None


def first_match(globs: Iterable[str], object_name: str) -> str | None:
    """The first of these patterns that means the object; None where none does."""
    return next((glob for glob in globs if matches(glob, object_name)), None)


@cache
def _compiled(glob: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*|\*|\?)", glob)
    wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(wild.get(p, re.escape(p)) for p in pieces), re.DOTALL)
