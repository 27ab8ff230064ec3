"""Formats of dates and times as the standard has them, those of Java, in the elements that a contract has."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ELEMENTS: Mapping[str, str] = {
    **{
        "yyyy": "%Y",
        "uuuu": "%Y",
        "yy": "%y",
        "MM": "%m",
        "M": "%m",
        "MMM": "%b",
        "MMMM": "%B",
        "dd": "%d",
        "d": "%d",
    },
    **{"EEE": "%a", "EEEE": "%A", "HH": "%H", "H": "%H", "hh": "%I", "h": "%I", "mm": "%M", "m": "%M", "ss": "%S"},
    **{"a": "%p", "X": "%z", "XX": "%z", "XXX": "%z", "Z": "%z"},
}
"""https://docs.oracle.com/javase/8/docs/api/java/time/format/DateTimeFormatter.html"""
_TOKEN = re.compile(r"ss\.S+|([A-Za-z])\1*|'(?:[^']|'')*'|.", re.S)


def format_of(java: str) -> str | None:
    """None where there is no such format."""
    found = [_element(token[0]) for token in _TOKEN.finditer(java)]
    return None if None in found else "".join(one or "" for one in found)


def is_iso(pattern: str) -> bool:
    """Whether what a format takes is taken without one."""
    return re.fullmatch(r"%Y-%m-%d([T ]%H:%M:(%S|%E\*S)(%z)?)?", pattern) is not None


def _element(token: str) -> str | None:
    if token.startswith("ss."):
        return "%E*S"
    if token.startswith("'"):
        return (token[1:-1].replace("''", "'") or "'").replace("%", "%%")
    if token[0].isalpha():
        # What ISO writes without quotes between day and time.
        return _ELEMENTS.get(token) or ("T" if token == "T" else None)  # noqa: S105
    return token.replace("%", "%%")
