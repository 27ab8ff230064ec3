"""Which dead letters a command is about: its filters."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.topology import SERVICES
from dropmerge.operations.dead_letters.subscription import MAX_PULL, DeadLetterSubscription
from services.shared.messages.dead_letter import DeadLetter


@dataclass(frozen=True)
class Filter:
    """A letter is meant if it fits all that are given."""

    services: Sequence[str] = SERVICES
    reason: str | None = None
    feed: str | None = None
    glob: str | None = None
    before: datetime | None = None
    ids: frozenset[str] = frozenset()

    def wants(self, letter: DeadLetter) -> bool:
        return (
            (self.reason is None or letter.reason == self.reason)
            and (self.feed is None or letter.feed == self.feed)
            and (self.glob is None or fnmatch.fnmatchcase(letter.object or "", self.glob))
            and (not self.ids or letter.id in self.ids)
            and (self.before is None or letter.at < self.before)
        )

    def batches(self, mailbox: DeadLetterSubscription, most: int = MAX_PULL) -> Iterator[list[DeadLetter]]:
        """The letters wanted, as many at a time as `most` of each service."""
        count = 0
        for batch in mailbox.batches(most):
            wanted = [letter for letter in batch if self.wants(letter)]
            count += len(wanted)
            if wanted:
                yield wanted
            if self._is_all(count):
                return

    def _is_all(self, count: int) -> bool:
        # The others need not be read.
        return bool(self.ids) and count == len(self.ids)


def filter_from_options(
    reason: str | None,
    feed: str | None,
    glob: str | None,
    older_than: timedelta | None,
    ids: Sequence[str] | None,
    service: str | None,
) -> Filter:
    """From the command line's options."""
    before = None if older_than is None else datetime.now(UTC) - older_than
    return Filter((service,) if service else SERVICES, reason, feed, glob, before, frozenset(ids or []))
