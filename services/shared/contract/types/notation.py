"""Numbers as people write them: with a decimal comma, and in groups of three digits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from services.shared.contract.fault import Place
from services.shared.contract.types.base import ColumnType, beside

_POINT = "."
# A quote could leave the text of SQL that it stands in. A file seldom shows which kind of space it has.
_GROUPS = {",": "[,]", ".": "[.]", "'": "[\\x27\u2019]", " ": "[ \u00a0\u2009\u202f]"}
"""What stands between groups, by a contract's word: classes of characters to RE2 and to Python's `re`."""


@dataclass(frozen=True)
class Number(ColumnType):
    """A type whose texts may be written otherwise: a step turns them into those that it reads without options."""

    takes: ClassVar[tuple[str, ...]] = ("decimal", "group")

    decimal: str | None = None
    """`,` or `.`. Said, no digit need stand before it."""
    group: str | None = None
    """`,`, `.`, `'` or a space, of any kind: between groups of three digits, or left out."""

    def with_options(self, options: Mapping[str, Any]) -> Self:
        return replace(self, **{name: value for name, value in options.items() if name in self.takes})

    def option_faults(self) -> Iterator[tuple[Place, str]]:
        if self._has_decimals and self.group == (self.decimal or _POINT):
            yield from ((place, same_marks(self.group)) for place in (("decimal",), ("group",)))

    @property
    def taken(self) -> str:
        marks = [f"decimals after {self.decimal!r}"] if self.decimal else []
        marks += [f"groups of three digits separated by {self.group!r}"] if self.group else []
        return "; ".join([self.texts, *marks])

    def plain(self, text: str) -> str:
        """The name of the text that the type reads."""
        return beside(text, "plain") if self.decimal or self.group else text

    def steps(self, text: str) -> Sequence[Mapping[str, str]]:
        plain = self.plain(text)
        if plain == text:
            return ()
        # An empty text is no number: what is refused is not NULL, which would be taken.
        return ({plain: f"IF(NOT REGEXP_CONTAINS({text}, r'^{self._written}$'), '', {self._rewritten(text)})"},)

    def read(self, text: str) -> str:
        """The plain text of a text. Raises ValueError."""
        if not (self.decimal or self.group):
            return text
        if not re.fullmatch(self._written, text):
            raise ValueError(f"{text!r} is not the text of a {self.name}")
        whole = re.sub(_GROUPS[self.group], "", text) if self.group else text
        plain = whole.replace(self.decimal, _POINT) if self.decimal else whole
        return re.sub(r"^([+-]?)[.]", r"\g<1>0.", plain)

    def _rewritten(self, text: str) -> str:
        whole = f"REGEXP_REPLACE({text}, r'{_GROUPS[self.group]}', '')" if self.group else text
        if self.decimal is None:
            return whole
        plain = f"REPLACE({whole}, '{self.decimal}', '{_POINT}')" if self.decimal != _POINT else whole
        return f"REGEXP_REPLACE({plain}, r'^([+-]?)[.]', r'\\10.')"

    @property
    def _written(self) -> str:
        """Of a whole text; whether the type takes its decimals, or an exponent, is for the plain one to say."""
        # 0,123 is no 123, and 1,5 no 15.
        grouped = f"[1-9][0-9]{{0,2}}(?:{_GROUPS[self.group]}[0-9]{{3}})+|" if self.group else ""
        whole = f"(?:{grouped}[0-9]+)"
        if not self._has_decimals:
            return f"[+-]?{whole}"
        decimals = f"[{self.decimal or _POINT}][0-9]+"
        alone = f"|{decimals}" if self.decimal else ""
        return f"[+-]?(?:{whole}(?:{decimals})?{alone})(?:[eE][+-]?[0-9]+)?"

    @property
    def _has_decimals(self) -> bool:
        return "decimal" in self.takes


def same_marks(mark: str | None) -> str:
    """A sentence."""
    other = (
        "write the decimal mark too, such as decimal: ','"
        if mark == _POINT
        else "write another one, such as decimal: '.'"
    )
    return f"{mark!r} cannot separate groups of digits and be the decimal mark, which is '.' by default: {other}"
