"""INT64, NUMERIC, BIGNUMERIC, FLOAT64."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from services.shared.contract.types.base import Refusal, Whole
from services.shared.contract.types.notation import Number


class Int64(Number, Whole):
    name = "INT64"
    aliases = ("INT", "SMALLINT", "INTEGER", "BIGINT", "TINYINT", "BYTEINT")
    texts = "`[+-]digits`, from -9223372036854775808 to 9223372036854775807"
    pattern = "[+-]?[0-9]+"
    malformed = "not_an_integer"
    can_be_version = True
    takes = ("group",)

    def parse(self, text: str) -> int:
        digits = self.matched(self.read(text)).lstrip("+-").lstrip("0") or "0"
        # Python reads no more than 4,300 digits, and 20 are too many for the type.
        value = int(digits[:20]) * (-1 if text.startswith("-") else 1)
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{text!r} does not fit in 64 bits")
        return value

    def cast(self, text: str) -> str:
        plain = self.plain(text)
        return f"IF({self.matches(plain)}, SAFE_CAST({plain} AS INT64), NULL)"

    def literal(self, value: Any) -> str:
        return str(int(value))


class Numeric(Number):
    name = "NUMERIC"
    aliases = ("DECIMAL",)
    texts = "plain decimal notation, no exponent, at most 29 digits, then 9 decimals (without zeros at the end)"
    pattern = "[+-]?[0-9]+([.][0-9]+)?"
    can_be_version = True
    _SCALE: ClassVar[int] = 9
    _LEAST: ClassVar[int] = -(10**38) + 1
    """In units of its last decimal."""
    _GREATEST: ClassVar[int] = 10**38 - 1

    def parse(self, text: str) -> Decimal:
        plain = self.matched(self.read(text))
        before, _, after = plain.lstrip("+-").partition(".")
        before, after = before.lstrip("0"), after.rstrip("0")
        # Python reads no more than 4,300 digits, and 40 are too many for any of these types.
        is_long = len(before) > 40 or len(after) > self._SCALE
        units = 0 if is_long else int(f"{before}{after.ljust(self._SCALE, '0')}") * (-1 if plain[0] == "-" else 1)
        if is_long or not self._LEAST <= units <= self._GREATEST:
            raise ValueError(f"{text!r} does not fit in a {self.name}")
        return Decimal(plain) or Decimal(0)

    def cast(self, text: str) -> str:
        plain = self.plain(text)
        return f"IF({self.matches(plain)} AND NOT {self._is_long(plain)}, SAFE.PARSE_{self.name}({plain}), NULL)"

    def faults(self, text: str, value: str) -> Iterator[Refusal]:
        number, long = self.matches(self.plain(text)), self._is_long(self.plain(text))
        # The value first: of most rows nothing else is looked at.
        yield Refusal("not_a_number", f"{value} IS NULL AND {text} IS NOT NULL AND NOT {number}")
        yield Refusal("too_many_decimals", f"{value} IS NULL AND {number} AND {long}")
        yield Refusal("number_out_of_range", f"{value} IS NULL AND {number} AND NOT {long}")

    def literal(self, value: Any) -> str:
        return f"{self.name} '{value:f}'"

    def _is_long(self, text: str) -> str:
        return f"REGEXP_CONTAINS({text}, r'[.][0-9]{{{self._SCALE}}}[0-9]*[1-9]')"


class BigNumeric(Numeric):
    """76 digits and a part of a 77th
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types)."""

    name = "BIGNUMERIC"
    aliases = ("BIGDECIMAL",)
    texts = (
        "plain decimal notation, no exponent, at most 38 decimals (without zeros at the end), from -5.78e38 to 5.78e38"
    )
    _SCALE = 38
    _LEAST, _GREATEST = -(2**255), 2**255 - 1

    def is_guessed_from(self, text: str) -> bool:
        """Never: people who count so exactly say so."""
        return False


class Float64(Number):
    """Never infinite, never NaN, and of zeros one: -0.0 would make the order of arrival decide between two rows."""

    name = "FLOAT64"
    aliases = ("FLOAT",)
    texts = "decimal notation, with or without an exponent; -0 is 0"
    pattern = "[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?"
    can_be_key = False
    can_cluster = False
    """Equality of floats is not identity."""

    def parse(self, text: str) -> float:
        value = float(self.matched(self.read(text)))
        if math.isinf(value):
            raise ValueError(f"{text!r} does not fit in a {self.name}")
        return value or 0.0

    def cast(self, text: str) -> str:
        plain = self.plain(text)
        value = f"SAFE_CAST({plain} AS FLOAT64)"
        # GoogleSQL reads infinity in 1e400.
        return f"IF({self.matches(plain)} AND NOT IS_INF({value}), IF({value} = 0, 0.0, {value}), NULL)"

    def faults(self, text: str, value: str) -> Iterator[Refusal]:
        number = self.matches(self.plain(text))
        yield Refusal("not_a_number", f"{value} IS NULL AND {text} IS NOT NULL AND NOT {number}")
        yield Refusal("number_out_of_range", f"{value} IS NULL AND {number}")
