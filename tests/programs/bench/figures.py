"""What a benchmark measures, as it is written to JSON and read from it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Found = dict[str, Any]
"""What a scenario found: `figures`, `wrong` and `is_right` where it has them, and whatever its own section shows."""


@dataclass(frozen=True)
class Figure:
    """One thing that was measured, each time."""

    what: str
    who: str
    unit: str
    values: Sequence[float]
    quantile: float = 0.5
    """Which of the values speaks for them: 0.5 the median."""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def value(self) -> float:
        """By linear interpolation between neighbours, as numpy's default has it."""
        ordered = sorted(self.values)
        place = self.quantile * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    @property
    def is_met(self) -> bool | None:
        """None without a target."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return self.value >= self.at_least if self.at_least is not None else None

    @property
    def key(self) -> tuple[str, str]:
        """By which the same figure of another run is found."""
        return self.what, self.who


@dataclass(frozen=True)
class Wrong:
    """How many rows of a table differ from the expected answer, and how."""

    what: str
    who: str
    rows: int
    """that are expected"""
    stale: int
    """an older version of a row won"""
    money: int
    """the version is right, the balance is not"""
    other: int
    """any other value differs"""
    lost: int
    """an expected row is missing"""
    added: int
    """a row is there that is not expected, or twice"""

    @property
    def total(self) -> int:
        return self.stale + self.money + self.other + self.lost + self.added


def found(figures: Iterable[Figure], is_right: bool = True, wrong: Iterable[Wrong] = (), **more: Any) -> Found:
    """What a scenario returns. `is_right`: whether each of dropmerge's tables was as expected."""
    return {
        "figures": [asdict(one) for one in figures],
        "wrong": [asdict(one) for one in wrong],
        "is_right": is_right,
        **more,
    }


def figures_of(one: Mapping[str, Any] | None) -> list[Figure]:
    return [Figure(**figure) for figure in (one or {}).get("figures", [])]


def wrong_of(one: Mapping[str, Any]) -> list[Wrong]:
    return [Wrong(**wrong) for wrong in one.get("wrong", [])]


def ratios(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """Pair by pair: two that were measured one after the other had the same machine."""
    return [this / that for this, that in zip(these, those, strict=True)]


def add_up(*each: Sequence[float]) -> list[float]:
    """The sums of what was measured in one run."""
    return [sum(values) for values in zip(*each, strict=True)]


def median(values: Sequence[float]) -> float:
    return float(statistics.median(values))
