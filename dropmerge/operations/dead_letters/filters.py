"""Which dead letters an operation is about."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from deploy.topology import SERVICES
from dropmerge.operations.dead_letters.latest import generation_of
from dropmerge.operations.dead_letters.subscription import MAX_PULL, Source
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.file_name import FileName
from services.shared.messages.dead_letter import DeadLetter

MAX_REPLAYS = 5
"""What was replayed so often and failed again is left to a person."""


@dataclass(frozen=True)
class Filter:
    """A dead letter is meant if it fits all that are given."""

    services: Sequence[str] = SERVICES
    reason: str | None = None
    feed: str | None = None
    file: FileName | None = None
    before: datetime | None = None
    ids: frozenset[str] = frozenset()
    limit: int | None = None
    max_replays: int | None = None
    """Those that were replayed so often are counted in the summary, and left where they are."""
    object_part: str = ""
    """Of the object's name, in lower case."""
    is_without_feed: bool = False
    """Only those that name no feed."""

    @property
    def is_everything(self) -> bool:
        """Whether it narrows nothing down."""
        return replace(self, limit=None, max_replays=None) == Filter()

    def wants(self, dead_letter: DeadLetter) -> bool:
        load_id = dead_letter.subject["load_id"]
        return (
            dead_letter.service in self.services
            and (self.reason is None or dead_letter.reason == self.reason)
            and (self.feed is None or dead_letter.feed == self.feed)
            and (self.file is None or self.file.fits(generation_of(dead_letter), load_id, dead_letter.id))
            and (not self.ids or dead_letter.id in self.ids)
            and (self.before is None or dead_letter.at < self.before)
            and self.object_part in (dead_letter.object or "").lower()
            and not (self.is_without_feed and dead_letter.feed)
        )

    def batches(
        self, source: Source, summary: Summary, most: int = MAX_PULL
    ) -> Generator[list[DeadLetter], None, None]:
        """Those wanted, at most `most` of each service at a time. The caller adds what it has done to the summary."""
        wanted = 0
        most = most if self.limit is None else min(most, self.limit)
        for batch in source.batches(most):
            found = [one for one in batch if self.wants(one)]
            wanted += len(found)
            fit = self._suitable(found, summary)
            if fit:
                yield fit if self.limit is None else fit[: self.limit - summary.count]
            if self._is_all(wanted, summary):
                return

    def _suitable(self, found: Sequence[DeadLetter], summary: Summary) -> list[DeadLetter]:
        # Skip dead letters produced by this run's own replays, which would loop.
        fresh = [one for one in found if one.replay_of not in summary.seen]
        fit = [one for one in fresh if self.max_replays is None or one.replay_count < self.max_replays]
        summary.over_replay_limit += len(fresh) - len(fit)
        return fit

    def _is_all(self, wanted: int, summary: Summary) -> bool:
        """Whether the others need not be read."""
        return (bool(self.ids) and wanted == len(self.ids)) or summary.count == self.limit
