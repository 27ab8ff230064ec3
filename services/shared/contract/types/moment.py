"""DATE and TIMESTAMP: GoogleSQL knows the years 1 to 9999, and offsets of at most 14 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from services.shared.contract.types.base import Whole

_DAY = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
_OFFSET = "(Z| UTC|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"


class Date(Whole):
    name = "DATE"
    texts = "`YYYY-MM-DD`, years 0001 to 9999"
    pattern = _DAY
    malformed = "not_a_date"
    can_be_version = True

    def parse(self, text: str) -> date:
        return date.fromisoformat(self.matched(text))

    def cast(self, text: str) -> str:
        return f"IF({self.matches(text)}, SAFE_CAST({text} AS DATE), NULL)"

    def at(self, instant: str) -> str:
        """In UTC, by name: a project may have another default time zone."""
        return f"DATE({instant}, 'UTC')"

    def literal(self, value: Any) -> str:
        return f"DATE '{value.isoformat()}'"


class Timestamp(Whole):
    name = "TIMESTAMP"
    texts = (
        "RFC 3339 with `T` or a space, seconds, at most 6 decimals, and `Z`, ` UTC` or an offset of at most 14 hours"
    )
    pattern = f"{_DAY}[T ]{_TIME}{_OFFSET}"
    malformed = "not_a_timestamp"
    can_be_version = True

    def parse(self, text: str) -> datetime:
        try:
            return datetime.fromisoformat(self.matched(text).replace(" UTC", "Z")).astimezone(UTC)
        except OverflowError as error:
            raise ValueError(f"{text!r} is not within the years 1 to 9999") from error

    def cast(self, text: str) -> str:
        # An offset may lead out of those years.
        first, last = "TIMESTAMP '0001-01-01 00:00:00+00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999+00:00'"
        value = f"SAFE_CAST({text} AS TIMESTAMP)"
        return f"IF({self.matches(text)} AND {value} BETWEEN {first} AND {last}, {value}, NULL)"

    def at(self, instant: str) -> str:
        return instant

    def literal(self, value: Any) -> str:
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
