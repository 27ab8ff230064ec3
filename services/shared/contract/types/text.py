"""STRING."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from services.shared.contract.types.base import ColumnType, Refusal
from services.shared.sql import literal

_MAX_CHARACTERS = 100


class String(ColumnType):
    name = "STRING"
    texts = "any text, spaces included"
    pattern = "(?s:.*)"
    takes = ("max_length",)

    def parse(self, text: str) -> str:
        return text

    def cast(self, text: str) -> str:
        return text

    def faults(self, text: str, value: str) -> Iterator[Refusal]:
        return iter(())

    def literal(self, value: Any) -> str:
        """Of the value's beginning, which is not above it: where a text has characters that do not belong in SQL."""
        return literal(_safe_prefix(value))

    def bounds(self, low: Any, high: Any) -> list[tuple[str, str]]:
        """Texts are compared by code point: what begins as another text, and ends there, is not above it."""
        found = [(">=", self.literal(low))]
        prefix = _safe_prefix(high)
        if prefix == high:
            return [*found, ("<=", literal(high))]
        above = _above(prefix)
        return [*found, ("<", literal(above))] if above else found


def _above(prefix: str) -> str | None:
    """Above every text that begins so: the same with its last character one higher."""
    for end in range(len(prefix), 0, -1):
        above = prefix[: end - 1] + chr(ord(prefix[end - 1]) + 1)
        if _safe_prefix(above) == above:
            return above
    return None


def _safe_prefix(text: str) -> str:
    """The beginning that consists of letters, digits and a few signs."""
    (beginning,) = re.findall(r"\A[\w:. +-]*", text, re.ASCII)
    return str(beginning[:_MAX_CHARACTERS])
