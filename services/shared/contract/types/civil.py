"""DATETIME and TIME: what a calendar and a clock on a wall show, in no time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, ClassVar

from services.shared.contract.types.moment import DAY, TIME, Moment
from services.shared.contract.types.pattern import pattern


@dataclass(frozen=True)
class Datetime(Moment):
    name = "DATETIME"
    texts = "`YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, at most 6 decimals, no offset; years 0001 to 9999"
    pattern = f"{DAY}[T ]{TIME}"
    malformed = "not_a_datetime"
    can_be_version = True
    has_time: ClassVar[bool] = True

    def _format_faults(self, text: str) -> Iterator[str]:
        faults = list(super()._format_faults(text))
        yield from faults
        if not faults and text not in self.words and "offset" in pattern(text, has_time=True).parts:
            yield f"{text!r} has an offset (%z), which no DATETIME has: is the column a TIMESTAMP?"

    def parse(self, text: str) -> datetime:
        return datetime.fromisoformat(self.matched(self._read_iso(text)))

    def cast(self, text: str) -> str:
        iso = self._iso(text)
        return f"IF({self.matches(iso)}, SAFE_CAST({iso} AS DATETIME), NULL)"

    def at(self, instant: str) -> str:
        """In UTC: a clock elsewhere is at most 14 hours ahead of it, less than a version may be."""
        return f"DATETIME({instant}, 'UTC')"

    def literal(self, value: Any) -> str:
        return f"DATETIME '{value.isoformat(sep=' ')}'"


@dataclass(frozen=True)
class Time(Moment):
    name = "TIME"
    texts = "`HH:MM:SS`, at most 6 decimals, from 00:00:00 to before 24:00:00"
    pattern = TIME
    malformed = "not_a_time"
    can_cluster = False
    has_time: ClassVar[bool] = True
    has_day: ClassVar[bool] = False
    example: ClassVar[str] = "%H:%M"

    def parse(self, text: str) -> time:
        return time.fromisoformat(self.matched(self._read_iso(text)))

    def cast(self, text: str) -> str:
        iso = self._iso(text)
        return f"IF({self.matches(iso)}, SAFE_CAST({iso} AS TIME), NULL)"

    def literal(self, value: Any) -> str:
        return f"TIME '{value.isoformat()}'"
