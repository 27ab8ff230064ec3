"""How many dead letters of each kind, and how old they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from dropmerge.cli.terminal import escape_unprintable, print_table, table
from services.shared.messages.dead_letter import DeadLetter

_AGES = {"< 1 h": timedelta(hours=1), "< 1 d": timedelta(days=1), "< 7 d": timedelta(days=7)}


class Summary:
    """Keeps ids and counts, no letters: there may be many."""

    def __init__(self) -> None:
        self._ages: dict[tuple[str, str, str], Counter[str]] = {}
        self._now = datetime.now(UTC)
        self.ids: list[str] = []
        self.seen: set[str] = set()
        """The same ids."""
        self.over_replay_limit = 0
        """Left where they are, because they were replayed too often."""

    @property
    def count(self) -> int:
        return len(self.ids)

    def add(self, letters: Iterable[DeadLetter]) -> None:
        for letter in letters:
            key = (letter.service, letter.reason, letter.feed or "")
            age = next((name for name, limit in _AGES.items() if self._now - letter.at < limit), "older")
            self._ages.setdefault(key, Counter())[age] += 1
            self.ids.append(letter.id)
            self.seen.add(letter.id)

    def counting(self, batches: Iterable[Sequence[DeadLetter]]) -> Iterator[DeadLetter]:
        """The letters of these batches, each counted as it passes."""
        for batch in batches:
            for letter in batch:
                self.add([letter])
                yield letter

    def print(self, err: bool = False) -> None:
        counts = table("service", "reason", "feed", "letters", *_AGES, "older")
        for key, ages in sorted(self._ages.items(), key=lambda one: (-one[1].total(), one[0])):
            by_age = (str(ages[name] or "") for name in [*_AGES, "older"])
            counts.add_row(*map(escape_unprintable, key), str(ages.total()), *by_age)
        print_table(counts, err)
