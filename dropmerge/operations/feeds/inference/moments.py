"""Formats of dates and times: which of those that people write takes every text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from services.shared.contract.types import TYPES, ColumnType

_DAY_FIRST = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%m/%d/%y", "%m-%d-%y")
_OTHERS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d-%B-%Y",
    "%d %B %Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%B %d %Y",
    "%B %d, %Y",
    "%b-%d-%Y",
    "%Y-%b-%d",
    "%a %b %d %Y",
    "%a, %d %b %Y",
    "%A, %B %d, %Y",
)
_DAYS = (*_MONTH_FIRST, *_DAY_FIRST, *_OTHERS)
_TIMES = ("%H:%M:%E*S", "%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p")
_OFFSETS = ("%z", " %z")
_PROBED = 20
_LONGEST = 40
_WORDS = {
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "am",
    "pm",
    "t",
    "z",
    "utc",
}
_FEWEST_OF_DIGITS = 10
"""Different texts of eight digits that must all be days before they are taken for days, whatever the name."""
_DAY_WORDS = ("date", "day", "dt", "datum", "fecha", "jour")


@dataclass(frozen=True)
class Found:
    type: str
    format: tuple[str, ...]
    swapped: str | None = None
    """A format that takes all of them too, with day and month the other way round."""


def find_moment(texts: Collection[str], name: str) -> Found | None:
    """The format, or two, that takes each of these texts, which are at least one; None if there is none.

    `name`: the column's, which decides whether digits alone are a day.
    """
    probe = list(itertools.islice(texts, _PROBED))
    if not all(map(_may_be_moment, probe)):
        return None
    for kind, formats in _families(probe[0]):
        fit = [one for one in formats if _takes(kind, (one,), probe)]
        fit = [one for one in fit if _takes(kind, (one,), texts)]
        if fit:
            return _chosen(kind, fit, texts, name)
    return _mixed(texts, probe)


def _may_be_moment(text: str) -> bool:
    """Whether its words are names of months and days, and the rest are numbers."""
    words = re.findall("[a-z]+", text.lower())
    return any(map(str.isdigit, text)) and len(text) <= _LONGEST and all(word[:3] in _WORDS for word in words)


def _families(text: str) -> Iterator[tuple[str, Sequence[str]]]:
    """By type, the formats that may take a text like this."""
    day, between, time = _parts(text)
    if not between:
        yield "DATE", [one for one in _DAYS if _takes("DATE", (one,), (text,))]
        yield "TIME", _TIMES if "TIME" in TYPES else ()
        return
    stamps = [f"{one}{between}{of}" for one in _DAYS if _takes("DATE", (one,), (day,)) for of in _times(time)]
    if "DATETIME" in TYPES:
        yield "DATETIME", stamps
    yield "TIMESTAMP", [f"{stamp}{offset}" for stamp in stamps for offset in _OFFSETS]


def _parts(text: str) -> tuple[str, str, str]:
    """Day, what is between, and time; all of it is the day where it has no time."""
    found = re.fullmatch(r"(.*[^ ])([ T])([0-9]{1,2}:.*)", text)
    return (found[1], found[2], found[3]) if found else (text, "", "")


def _times(text: str) -> Iterator[str]:
    """Those that have as many colons, and a half of the day where the text has one."""
    clock = text.split("+")[0].split("-")[0]
    for one in _TIMES:
        if one.count(":") == clock.count(":") and ("%p" in one) == (clock.strip()[-1:] in "mM"):
            yield one


def _mixed(texts: Collection[str], probe: Sequence[str]) -> Found | None:
    """Days, of which some have a time."""
    timed = next((one for one in texts if _parts(one)[1] == " "), None)
    if "DATETIME" not in TYPES or timed is None:
        return None
    day, _, time = _parts(timed)
    for one in _DAYS:
        if not _takes("DATE", (one,), (day,)):
            continue
        for of in _times(time):
            if _takes("DATETIME", (f"{one} {of}", one), texts):
                return Found("DATETIME", (f"{one} {of}", one))
    return None


def _chosen(kind: str, fit: Sequence[str], texts: Collection[str], name: str) -> Found | None:
    first = fit[0]
    if first == "%Y%m%d" and not _are_days(texts, name):
        return None
    swapped = next((one for one in fit if _is_swapped(first, one)), None)
    return Found(kind, (first,), swapped)


def _are_days(texts: Collection[str], name: str) -> bool:
    if not all(len(text) == 8 and "1900" <= text[:4] <= "2100" for text in texts):
        return False
    return any(word in name.lower() for word in _DAY_WORDS) or len(texts) >= _FEWEST_OF_DIGITS


def _is_swapped(one: str, other: str) -> bool:
    swapped = one.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")
    return other == swapped and one != other


def _takes(kind: str, formats: tuple[str, ...], texts: Collection[str]) -> bool:
    reader: ColumnType = TYPES[kind].with_options({"format": formats})
    return all(map(reader.accepts, texts))
