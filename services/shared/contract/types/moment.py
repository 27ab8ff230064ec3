"""DATE and TIMESTAMP: GoogleSQL knows the years 1 to 9999, and offsets of at most 14 hours.

A column's formats turn its texts into those that the type reads without any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Self

from services.shared.contract.fault import Place
from services.shared.contract.meant import meant
from services.shared.contract.types.base import Refusal, Whole, beside
from services.shared.contract.types.epoch import EPOCHS, Epoch
from services.shared.contract.types.local_time import FIRST, LAST, REJECT, LocalTime, instant, micros, moment, zones
from services.shared.contract.types.pattern import Pattern, pattern

DAY = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}"
TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
_OFFSET = "(Z| UTC|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
_LOCAL = f"{DAY}[T ]{TIME}"
_MICROS = "[+-]?[0-9]+"
_ISO = "iso"


@dataclass(frozen=True)
class Moment(Whole):
    """A type whose texts may have formats."""

    takes: ClassVar[tuple[str, ...]] = ("format",)
    words: ClassVar[tuple[str, ...]] = (_ISO,)
    """Formats that are no pattern."""
    has_time: ClassVar[bool] = False
    has_day: ClassVar[bool] = True
    example: ClassVar[str] = "%d/%m/%Y"
    """A pattern, for a sentence."""

    format: tuple[str, ...] = (_ISO,)

    def with_options(self, options: Mapping[str, Any]) -> Self:
        return replace(self, **{name: value for name, value in options.items() if name in self.takes})

    def option_faults(self) -> Iterator[tuple[Place, str]]:
        for number, text in enumerate(self.format):
            if text in self.format[:number]:
                yield ("format", number), f"{text!r} is listed twice"
            else:
                yield from ((("format", number), what) for what in self._format_faults(text))

    def _format_faults(self, text: str) -> Iterator[str]:
        if text in self.words:
            return
        if "%" not in text:
            near = meant(text, self.words)
            yield f"{text!r} is neither one of {', '.join(self.words)} nor a pattern such as {self.example!r}{near}"
            return
        try:
            pattern(text, self.has_time, self.has_day)
        except ValueError as error:
            yield str(error)

    @property
    def taken(self) -> str:
        return self.texts if self.format == (_ISO,) else f"in the format {' or '.join(self.format)}"

    def steps(self, text: str) -> Sequence[Mapping[str, str]]:
        iso = self._iso(text)
        return () if iso == text else ({iso: f"COALESCE({', '.join(self._readings(text))})"},)

    def _readings(self, text: str) -> Iterator[str]:
        for one in self.format:
            reader = self._reader(one)
            yield reader.sql(text) if reader else f"IF({self._is_iso(text)}, {text}, NULL)"

    def _iso(self, text: str) -> str:
        """The name of the ISO text."""
        return text if self.format == (_ISO,) else beside(text, "iso")

    def _read_iso(self, text: str) -> str:
        """The ISO text of a text. Raises ValueError."""
        readers = (self._reader(one) for one in self.format)
        read = (reader.read(text) if reader else text if self._accepts_iso(text) else None for reader in readers)
        found = next((iso for iso in read if iso is not None), None)
        if found is None:
            raise ValueError(f"{text!r} is not the text of a {self.name}")
        return found

    def _reader(self, format_: str) -> Pattern | Epoch | None:
        """None of `iso`, which needs none."""
        return None if format_ == _ISO else EPOCHS.get(format_) or pattern(format_, self.has_time, self.has_day)

    def _is_iso(self, text: str) -> str:
        return self.matches(text)

    def _accepts_iso(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text) is not None


@dataclass(frozen=True)
class Date(Moment):
    name = "DATE"
    texts = "`YYYY-MM-DD`, years 0001 to 9999"
    pattern = DAY
    malformed = "not_a_date"
    can_be_version = True

    def parse(self, text: str) -> date:
        return date.fromisoformat(self.matched(self._read_iso(text)))

    def cast(self, text: str) -> str:
        iso = self._iso(text)
        return f"IF({self.matches(iso)}, SAFE_CAST({iso} AS DATE), NULL)"

    def at(self, instant: str) -> str:
        """In UTC, by name: a project may have another default time zone."""
        return f"DATE({instant}, 'UTC')"

    def literal(self, value: Any) -> str:
        return f"DATE '{value.isoformat()}'"


@dataclass(frozen=True)
class Timestamp(Moment):
    name = "TIMESTAMP"
    texts = (
        "RFC 3339 with `T` or a space, seconds, at most 6 decimals, and `Z`, ` UTC` or an offset of at most 14 hours"
    )
    pattern = f"{DAY}[T ]{TIME}{_OFFSET}"
    malformed = "not_a_timestamp"
    can_be_version = True
    takes: ClassVar[tuple[str, ...]] = ("format", "zone", "local_twice", "local_never")
    words: ClassVar[tuple[str, ...]] = (_ISO, *EPOCHS)
    has_time: ClassVar[bool] = True

    zone: str | None = None
    local_twice: str = REJECT
    local_never: str = REJECT

    def option_faults(self) -> Iterator[tuple[Place, str]]:
        yield from super().option_faults()
        if self.zone is None:
            ruled = [name for name in ("local_twice", "local_never") if getattr(self, name) != REJECT]
            yield from (((name,), "is for a column with a zone, such as zone: Europe/Berlin") for name in ruled)
        if self.zone is not None and self.zone not in zones():
            near = meant(self.zone, sorted(zones()))
            yield (
                ("zone",),
                f"{self.zone!r} is not a time zone of the IANA database, such as Europe/Berlin{near}",
            )

    def _format_faults(self, text: str) -> Iterator[str]:
        faults = list(super()._format_faults(text))
        yield from faults
        if not faults and self.zone is None and text not in self.words and not _has_offset(text):
            yield f"{text!r} has no offset (%z): write its zone, such as zone: Europe/Berlin"

    @property
    def taken(self) -> str:
        return super().taken + (f"; without an offset it is in {self.zone}" if self.zone else "")

    def parse(self, text: str) -> datetime:
        iso = self._read_iso(text)
        try:
            if re.fullmatch(_MICROS, iso):
                return moment(int(iso))
            if self.zone is None or not re.fullmatch(_LOCAL, iso):
                return datetime.fromisoformat(self.matched(iso).replace(" UTC", "Z")).astimezone(UTC)
            local = micros(datetime.fromisoformat(iso).replace(tzinfo=UTC))
            return moment(instant(local, self.zone, self.local_twice, self.local_never))
        except OverflowError as error:
            raise ValueError(f"{text!r} is not within the years 1 to 9999") from error

    def steps(self, text: str) -> Sequence[Mapping[str, str]]:
        local, iso = self._local(text), self._iso(text)
        if local is None:
            return super().steps(text)
        in_utc = f"SAFE_CAST(IF({_matches(iso, _LOCAL)}, CONCAT({iso}, 'Z'), NULL) AS TIMESTAMP)"
        return (*super().steps(text), {local.utc: f"UNIX_MICROS({in_utc})"}, *local.steps())

    def cast(self, text: str) -> str:
        iso, local = self._iso(text), self._local(text)
        # An offset may lead out of those years.
        first, last = "TIMESTAMP '0001-01-01 00:00:00+00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999+00:00'"
        value = f"SAFE_CAST({iso} AS TIMESTAMP)"
        values = [f"IF({self.matches(iso)} AND {value} BETWEEN {first} AND {last}, {value}, NULL)"]
        if EPOCHS.keys() & {*self.format}:
            values.append(_of_micros(f"SAFE_CAST(IF({_matches(iso, _MICROS)}, {iso}, NULL) AS INT64)"))
        if local:
            values.append(_of_micros(local.value(self.local_twice, self.local_never)))
        return f"COALESCE({', '.join(values)})" if len(values) > 1 else values[0]

    def faults(self, text: str, value: str) -> Iterator[Refusal]:
        ruled = list(self._local_faults(text))
        others = " OR ".join(one.condition for one in ruled)
        unless = f" AND NOT ({others})" if others else ""
        yield Refusal(self.malformed, f"{text} IS NOT NULL AND {value} IS NULL{unless}")
        yield from ruled

    def _local_faults(self, text: str) -> Iterator[Refusal]:
        local = self._local(text)
        if local and self.local_never == REJECT:
            yield Refusal("local_time_never", local.never)
        if local and self.local_twice == REJECT:
            yield Refusal("local_time_twice", local.twice)

    def at(self, instant: str) -> str:
        return instant

    def literal(self, value: Any) -> str:
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"

    def _local(self, text: str) -> LocalTime | None:
        if self.zone is None:
            return None
        names = ("before", "after", "earlier", "later", "utc")
        return LocalTime(self.zone, *(beside(text, name) for name in names))

    def _is_iso(self, text: str) -> str:
        return f"({super()._is_iso(text)} OR {_matches(text, _LOCAL)})" if self.zone else super()._is_iso(text)

    def _accepts_iso(self, text: str) -> bool:
        return super()._accepts_iso(text) or (self.zone is not None and re.fullmatch(_LOCAL, text) is not None)


def _has_offset(format_: str) -> bool:
    return "offset" in pattern(format_, has_time=True).parts


def _of_micros(number: str) -> str:
    return f"TIMESTAMP_MICROS(IF({number} BETWEEN {FIRST} AND {LAST}, {number}, NULL))"


def _matches(text: str, regex: str) -> str:
    return f"REGEXP_CONTAINS({text}, r'^(?:{regex})$')"
