"""A pattern of GoogleSQL's format elements: it turns a text into the ISO text that DATE and TIMESTAMP are read from.

https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

_MONTHS = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_NUMBERS = {month[:3].lower(): f"{number:02}" for number, month in enumerate(_MONTHS, 1)}
_SHORT = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M"}


@dataclass(frozen=True)
class Element:
    """What one element takes, and what it gives to the ISO text."""

    part: str
    """Of the moment, of which it says this."""
    pattern: str
    """Read by RE2 and by Python's `re`, without groups."""
    narrow: str | None = None
    """Instead, where digits are beside it: else 2006111 would be two days."""
    before: str = ""
    """What may stand before it and is no part of it."""
    sql: Callable[[str], str] = str
    read: Callable[[str], str] = str
    is_digits: bool = True


def _any_case(names: list[str], short: bool = False) -> str:
    """A character class each: what ignores case may take letters beyond ASCII for those of ASCII."""
    texts = [name[:3] for name in names] if short else names
    return "|".join("".join(f"[{one.upper()}{one.lower()}]" for one in text) for text in texts)


def _padded(text: str) -> str:
    return f"LPAD({text}, 2, '0')"


def _two(text: str) -> str:
    return text.zfill(2)


def _day(before: str = "") -> Element:
    return Element("day", "3[01]|[12][0-9]|0?[1-9]", "3[01]|[12][0-9]|0[1-9]", before, sql=_padded, read=_two)


def _month_name(short: bool) -> Element:
    numbers = " ".join(f"WHEN '{name}' THEN '{number}'" for name, number in _NUMBERS.items())
    return Element(
        "month",
        _any_case(_MONTHS, short),
        sql=lambda text: f"CASE LOWER(SUBSTR({text}, 1, 3)) {numbers} END",
        read=lambda text: _NUMBERS[text[:3].lower()],
        is_digits=False,
    )


ELEMENTS: Mapping[str, Element] = {
    "%Y": Element("year", "[0-9]{4}"),
    # As POSIX has it: 69 to 99 are of the last century.
    "%y": Element(
        "year",
        "[0-9]{2}",
        sql=lambda text: f"CONCAT(IF({text} >= '69', '19', '20'), {text})",
        read=lambda text: ("19" if text >= "69" else "20") + text,
    ),
    "%m": Element("month", "1[0-2]|0?[1-9]", "1[0-2]|0[1-9]", sql=_padded, read=_two),
    "%b": _month_name(short=True),
    "%B": _month_name(short=False),
    "%d": _day(),
    "%e": _day(before=" ?"),
    "%a": Element("weekday", _any_case(_WEEKDAYS, short=True), is_digits=False),
    "%A": Element("weekday", _any_case(_WEEKDAYS), is_digits=False),
    "%H": Element("hour", "2[0-3]|[01]?[0-9]", "2[0-3]|[01][0-9]", sql=_padded, read=_two),
    "%I": Element("hour_of_half", "1[0-2]|0?[1-9]", "1[0-2]|0[1-9]"),
    "%p": Element("half", "[AaPp][Mm]", is_digits=False),
    "%M": Element("minute", "[0-5][0-9]"),
    "%S": Element("second", "[0-5][0-9]"),
    "%E*S": Element("second", "[0-5][0-9](?:[.][0-9]{1,6})?"),
    "%z": Element(
        "offset",
        "Z|[+-][0-9]{2}:?[0-9]{2}",
        sql=lambda text: f"IF({text} = 'Z', 'Z', CONCAT(SUBSTR({text}, 1, 3), ':', SUBSTR({text}, -2)))",
        read=lambda text: "Z" if text == "Z" else f"{text[:3]}:{text[-2:]}",
        is_digits=False,
    ),
}
LISTED = ", ".join([*ELEMENTS, *_SHORT, "%%"])
"""For a sentence."""
_LISTED_FOR_DATE = "%Y, %y, %m, %b, %B, %d, %e, %a, %A, %F, %%"
_LISTED_FOR_TIME = "%H, %I, %p, %M, %S, %E*S, %T, %R, %%"
_OF_DAY = {"year": "%Y", "month": "%m", "day": "%d"}
_LAYOUT = ("year", "-", "month", "-", "day", "T", "hour", ":", "minute", ":", "second", "offset")
"""Of an ISO text: parts of the moment, and the signs between them."""


@dataclass(frozen=True)
class Pattern:
    """A format as a regular expression, and the SQL and the Python that make an ISO text of what it takes.

    The texts are `YYYY-MM-DD` for a DATE, `HH:MM:SS` for a TIME, else `YYYY-MM-DDTHH:MM:SS`, with decimals and an
    offset if the format has them.
    """

    tokens: tuple[str | Element, ...]
    """A text stands for itself."""
    has_time: bool
    has_day: bool = True

    def sql(self, text: str) -> str:
        """The ISO text of a STRING column; NULL where that does not fit as a whole."""

        def extracted(element: Element) -> str:
            return f"REGEXP_EXTRACT({text}, r'^{self._regex(element)}$')"

        def of(part: str) -> str:
            element = self.parts.get(part)
            if element:
                return element.sql(extracted(element))
            if part == "hour" and self.is_of_half:
                hour, half = (extracted(self.parts[name]) for name in ("hour_of_half", "half"))
                number = f"MOD(SAFE_CAST({hour} AS INT64), 12) + IF(LOWER({half}) = 'pm', 12, 0)"
                return f"LPAD(CAST({number} AS STRING), 2, '0')"
            return f"'{'00' if part in ('hour', 'minute', 'second') else part}'"

        return f"IF(REGEXP_CONTAINS({text}, r'^{self._regex()}$'), CONCAT({', '.join(map(of, self._layout))}), NULL)"

    def read(self, text: str) -> str | None:
        """The same in Python."""
        if not re.fullmatch(self._regex(), text):
            return None

        def extracted(element: Element) -> str:
            (found,) = re.findall(f"^{self._regex(element)}$", text)
            return str(found)

        def of(part: str) -> str:
            element = self.parts.get(part)
            if element:
                return element.read(extracted(element))
            if part == "hour" and self.is_of_half:
                hour, half = (extracted(self.parts[name]) for name in ("hour_of_half", "half"))
                return f"{int(hour) % 12 + (12 if half.lower() == 'pm' else 0):02}"
            return "00" if part in ("hour", "minute", "second") else part

        return "".join(map(of, self._layout))

    @cached_property
    def parts(self) -> dict[str, Element]:
        """What the format says of a moment, by part."""
        return {one.part: one for one in self.tokens if isinstance(one, Element)}

    @property
    def is_of_half(self) -> bool:
        return "hour_of_half" in self.parts

    @cached_property
    def _layout(self) -> list[str]:
        """Parts that the format says, or that begin with 00, and the signs between them."""
        begin = 0 if self.has_day else _LAYOUT.index("hour")
        end = _LAYOUT.index("offset") if self.has_time else _LAYOUT.index("T")
        return [*_LAYOUT[begin:end], *(["offset"] if "offset" in self.parts else [])]

    def _regex(self, captured: Element | None = None) -> str:
        """Of a whole text. `captured`: the only element that has a group, as REGEXP_EXTRACT wants it."""
        return "".join(
            _plain(token) if isinstance(token, str) else self._of_element(number, token, token is captured)
            for number, token in enumerate(self.tokens)
        )

    def _of_element(self, number: int, element: Element, is_captured: bool) -> str:
        beside = (*self.tokens[max(number - 1, 0) : number], *self.tokens[number + 1 : number + 2])
        pattern = element.narrow if element.narrow and any(map(_is_digits, beside)) else element.pattern
        return f"{element.before}{'(' if is_captured else '(?:'}{pattern})"


@cache
def pattern(text: str, has_time: bool, has_day: bool = True) -> Pattern:
    """The format that a contract writes so, of a moment that has a time, a day or both.

    Raises ValueError: what is wrong with it.
    """
    tokens = tuple(_tokens(text))
    parts = [one.part for one in tokens if isinstance(one, Element)]
    _refuse_twice(text, parts)
    more = [part for part in parts if part not in (*_OF_DAY, "weekday")]
    if more and not has_time:
        raise ValueError(
            f"{text!r} has {_written(more[0])}, which a DATE does not have; a format may have {_LISTED_FOR_DATE}"
        )
    alien = [part for part in parts if part in (*_OF_DAY, "weekday", "offset")]
    if alien and not has_day:
        raise ValueError(
            f"{text!r} has {_written(alien[0])}, which a TIME does not have; a format may have {_LISTED_FOR_TIME}"
        )
    missing = [part for part in (_OF_DAY if has_day else ()) if part not in parts]
    if missing:
        raise ValueError(f"{text!r} has no {missing[0]}, such as {_OF_DAY[missing[0]]}")
    if not has_day and not {"hour", "hour_of_half"} & {*parts}:
        raise ValueError(f"{text!r} has no hour, such as %H")
    for part, needed, example in _NEEDS:
        if part in parts and not needed & {*parts}:
            raise ValueError(f"{text!r} has {_written(part)} and lacks {example}")
    if any(one is ELEMENTS["%E*S"] and _is_digits(after) for one, after in pairwise(tokens)):
        raise ValueError(f"{text!r} has digits after %E*S, which has no last digit")
    return Pattern(tokens, has_time, has_day)


def _refuse_twice(text: str, parts: list[str]) -> None:
    said = ["hour" if part == "hour_of_half" else part for part in parts]
    twice = [part for part in said if said.count(part) > 1]
    if twice:
        raise ValueError(f"{text!r} has the {twice[0]} twice")


_NEEDS = (
    ("hour_of_half", {"half"}, "%p, the half of the day"),
    ("half", {"hour_of_half"}, "%I, the hour of it"),
    ("minute", {"hour", "hour_of_half"}, "an hour, such as %H"),
    ("second", {"minute"}, "a minute, such as %M"),
    ("offset", {"hour", "hour_of_half"}, "an hour, such as %H"),
)


def _written(part: str) -> str:
    return next(name for name, element in ELEMENTS.items() if element.part == part)


def _tokens(text: str) -> Iterator[str | Element]:
    long = re.sub("%%|%[FTR]", lambda found: _SHORT.get(found[0], found[0]), text)
    for one in re.findall(r"%E[*#0-9]*.|%.?|[^%]", long, re.DOTALL):
        if one == "%%":
            yield "%"
        elif one in ELEMENTS:
            yield ELEMENTS[one]
        elif one.startswith("%"):
            raise ValueError(f"{one} of {text!r} is none of the elements {LISTED}")
        elif not one.isprintable():
            raise ValueError(f"{text!r} has {one!a}, which cannot be part of a format")
        else:
            yield one


def _is_digits(token: str | Element) -> bool:
    return token.is_digits if isinstance(token, Element) else token.isdigit()


def _plain(sign: str) -> str:
    """For a regular expression that stands in SQL: no sign of ASCII can mean anything there, nor leave the quotes."""
    return sign if sign.isalnum() or not sign.isascii() else f"\\x{ord(sign):02x}"
