"""Dead letters that are replayed and followed to their ends; with a canary, a few before all the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.latest import generation_of
from dropmerge.operations.dead_letters.replay import Progress, for_each_batch, look, replay_batch
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.loads.outcomes import Outcome, Sent, Tell, follow
from dropmerge.operations.rate import RateLimiter
from services.shared.messages.dead_letter import DeadLetter


@dataclass
class FollowedReplay:
    """One run of the command."""

    connection: Connection
    limiter: RateLimiter
    seconds: float
    """How long to wait for the files to end: for those of the canary, then for the others."""
    canary: int | None
    """How many to replay first; None for all at once."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Of what was replayed, by the dead letter's id."""
    summary: Summary = field(default_factory=Summary)
    """What was replayed so far."""

    def run(self, wanted: Filter, progress: Progress, tell: Tell) -> Summary:
        """What was replayed, and what was held back because the canary did not merge."""
        if self.canary is None:
            self._replay(wanted, progress, tell)
            return self.summary
        seen = look(self.connection, wanted, progress)
        # The oldest first: Pub/Sub's ids are numbers that mostly grow.
        ids = sorted(seen.ids, key=lambda one: (len(one), one))
        first, rest = ids[: self.canary], ids[self.canary :]
        if first:
            self._replay(replace(wanted, ids=frozenset(first)), progress, tell)
        is_good = len(self.outcomes) == len(first) and all(one.is_merged for one in self.outcomes.values())
        if rest and is_good:
            self._replay(replace(wanted, ids=frozenset(rest)), progress, tell)
        elif rest:
            self.summary.held_back = rest
        self.summary.over_replay_limit = seen.over_replay_limit
        return self.summary

    def _replay(self, wanted: Filter, progress: Progress, tell: Tell) -> None:
        sent: list[Sent] = []

        def action(
            connection: Connection, subscription: DeadLetterSubscription, dead_letters: Sequence[DeadLetter]
        ) -> None:
            replay_batch(connection, subscription, dead_letters)
            sent.extend(Sent(generation_of(one), one.id) for one in dead_letters)

        for_each_batch(self.connection, wanted, self.limiter, action, progress, self.summary)
        ends = follow(self.connection, sent, self.seconds, tell) if sent else []
        self.outcomes.update({one.replayed or "": end for one, end in zip(sent, ends, strict=True)})
