"""A local time's instant: the time zone's offset from UTC is sought a day before it and a day after it.

Where clocks were put forward or back within those days, the offsets differ, and one of them, none or both lead to an
instant at which clocks showed this time. None: they never did. Both, and to different instants: they did twice. That
holds for a shift of any length. Only the zone's offset at an instant is asked of an engine, which is never in doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from services.shared.sql import literal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000
REJECT, EARLIER, LATER = "reject", "earlier", "later"
_FIRST_OF = {REJECT: "NULL", EARLIER: "LEAST({}, {})", LATER: "GREATEST({}, {})"}
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Of TIMESTAMP, in microseconds since 1970: the years 1 to 9999."""
# Beyond a zone's local times could leave those years; it has no other offset there.
_LOWEST, _HIGHEST = FIRST + 2 * _DAY, LAST - 2 * _DAY


@cache
def zones() -> frozenset[str]:
    """The names of the IANA database, wherever the contract is read."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - {"Factory"}


@dataclass(frozen=True)
class LocalTime:
    """SQL on integers, microseconds since 1970: columns that build on each other, and what they say in the end.

    `utc` is the local time as if it were in UTC, NULL where there is none; `name` makes the columns' names.
    """

    zone: str
    before: str
    """A column, the offset a day before; and one a day after."""
    after: str
    earlier: str
    """A column, the instant by the offset before, NULL where clocks did not show the time then; and by that after."""
    later: str
    utc: str

    def steps(self) -> Sequence[Mapping[str, str]]:
        """SQL of the columns by name, in steps, each of which reads those before it."""
        offsets = {self.before: f"{self.utc} - {_DAY}", self.after: f"{self.utc} + {_DAY}"}
        instants = {self.earlier: f"{self.utc} - {self.before}", self.later: f"{self.utc} - {self.after}"}
        return [
            {name: self._offset(at) for name, at in offsets.items()},
            {
                name: f"IF({self._offset(at)} = {offset}, {at}, NULL)"
                for (name, at), offset in zip(instants.items(), offsets, strict=True)
            },
        ]

    def value(self, if_twice: str, if_never: str) -> str:
        """SQL of the instant. Where clocks showed the time twice it is the earlier or the later one; where they never
        did, the one by the offset after, which is the earlier, or the one by that before; `reject`: NULL.

        As Temporal has it (https://tc39.es/proposal-temporal/docs/timezone.html#ambiguity-due-to-dst-or-other-offset-shifts).
        """
        two = _FIRST_OF[if_twice].format(self.earlier, self.later)
        none = _FIRST_OF[if_never].format(f"{self.utc} - {self.before}", f"{self.utc} - {self.after}")
        return f"IF({self.twice}, {two}, COALESCE({self.earlier}, {self.later}, {none}))"

    @property
    def never(self) -> str:
        return f"({self.utc} IS NOT NULL AND {self.earlier} IS NULL AND {self.later} IS NULL)"

    @property
    def twice(self) -> str:
        return f"COALESCE({self.earlier} != {self.later}, FALSE)"

    def _offset(self, at: str) -> str:
        moment = f"GREATEST(LEAST({at}, {_HIGHEST}), {_LOWEST})"
        return f"UNIX_MICROS(TIMESTAMP(DATETIME(TIMESTAMP_MICROS({moment}), {literal(self.zone)}), 'UTC')) - {moment}"


def instant(utc: int, zone: str, if_twice: str, if_never: str) -> int:
    """The same in Python, of the time that would be this instant in UTC. Raises ValueError."""
    found = {utc - _offset_at(at, zone) for at in (utc - _DAY, utc + _DAY)}
    shown = {one for one in found if one + _offset_at(one, zone) == utc}
    rule, what = (if_twice, "twice") if shown else (if_never, "never")
    if len(shown) != 1 and rule == REJECT:
        raise ValueError(f"clocks in {zone} showed it {what}")
    return min(shown or found) if rule == EARLIER else max(shown or found)


def micros(instant: datetime) -> int:
    """Since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def moment(micros: int) -> datetime:
    """Raises OverflowError."""
    return _EPOCH + timedelta(microseconds=micros)


def _offset_at(at: int, zone: str) -> int:
    offset = moment(max(min(at, _HIGHEST), _LOWEST)).astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)
