"""How many dead letters of each kind, and how old they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.shared.messages.dead_letter import DeadLetter

_AGES = {"< 1 h": timedelta(hours=1), "< 1 d": timedelta(days=1), "< 7 d": timedelta(days=7)}
_OF_A_CONTRACT = {"wrong_format", "wrong_encoding", "wrong_header", "malformed_file", "too_many_bad_rows"}
"""Reasons that stay as long as the contract does: a file's bytes do not change."""
AGES = (*_AGES, "older")


@dataclass(frozen=True, order=True)
class Kind:
    service: str
    reason: str
    feed: str
    """Empty where none is known."""


@dataclass
class Summary:
    """Keeps ids and counts, no dead letters: there may be many."""

    kinds: dict[Kind, Counter[str]] = field(default_factory=dict)
    """By kind, how many of each of `AGES`."""
    ids: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """The same ids."""
    contracts: set[tuple[str, str, str]] = field(default_factory=set)
    """Service, feed and contract by which files failed that fail by the same contract again."""
    over_replay_limit: int = 0
    """Left where they are, because they were replayed too often."""
    held_back: list[str] = field(default_factory=list)
    """Ids of those that were agreed to and stay, because the first ones were not merged."""
    taken: list[str] = field(default_factory=list)
    """Ids of those that were agreed to, and that somebody else took first."""
    _now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def count(self) -> int:
        return len(self.ids)

    def add(self, dead_letters: Iterable[DeadLetter]) -> None:
        for one in dead_letters:
            age = next((name for name, limit in _AGES.items() if self._now - one.at < limit), AGES[-1])
            self.kinds.setdefault(Kind(one.service, one.reason, one.feed or ""), Counter())[age] += 1
            if one.reason in _OF_A_CONTRACT and one.feed and one.contract:
                self.contracts.add((one.service, one.feed, one.contract))
            self.ids.append(one.id)
            self.seen.add(one.id)

    def by_frequency(self) -> list[tuple[Kind, Counter[str]]]:
        """The most frequent kind first."""
        return sorted(self.kinds.items(), key=lambda one: (-one[1].total(), one[0]))
