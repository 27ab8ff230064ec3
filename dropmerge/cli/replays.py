"""`dropmerge dead-letters replay --wait`: what became of what was replayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

from dropmerge.cli.outcomes import count, count_steps, describe_all
from dropmerge.cli.terminal import escape_unprintable, pluralize
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.loads.outcomes import Outcome
from dropmerge.operations.loads.replays import FollowedReplay
from dropmerge.operations.no_answer import NoAnswer
from dropmerge.operations.rate import RateLimiter

_DIED = "came back"


@dataclass
class Waiting:
    """One run of the command, which waits."""

    seconds: float
    canary: int | None
    _run: FollowedReplay | None = None

    def replay(
        self,
        connection: Connection,
        wanted: Filter,
        limiter: RateLimiter,
        show: Callable[[int | str], None],
    ) -> Summary:
        """Publish again, and wait."""
        self._run = FollowedReplay(connection, limiter, self.seconds, self.canary)
        try:
            return self._run.run(
                wanted, show, lambda some: show(count_steps(one.state for one in some if not one.state.is_terminal))
            )
        except NoAnswer:
            typer.echo(f"replayed {pluralize(self._run.summary.count, 'dead letter')}", err=True)
            raise

    def is_done(self, summary: Summary) -> bool:
        """Whether all are merged."""
        return not summary.held_back and all(one.is_merged for one in self._outcomes.values())

    def as_json(self, summary: Summary) -> list[dict[str, Any]]:
        """An item for each dead letter, by its id: what became of it; state `held_back` where it was not replayed."""
        ends = [{"id": name, **one.source.fields, **one.as_json()} for name, one in self._outcomes.items()]
        return [*ends, *({"id": name, "state": "held_back"} for name in summary.held_back)]

    def print(self, summary: Summary) -> None:
        """The files that are not merged, and how many of each kind there are."""
        ends = list(self._outcomes.values())
        for line in describe_all((one for one in ends if not one.is_merged), _DIED):
            typer.echo(line)
        if ends:
            typer.echo(count(ends, _DIED))
        if pending := [one.state for one in ends if not one.state.is_terminal]:
            typer.echo(f"after {self.seconds:g} s: {count_steps(pending)}", err=True)
        if summary.held_back:
            typer.echo(_stopped(ends, summary), err=True)

    @property
    def _outcomes(self) -> dict[str, Outcome]:
        return self._run.outcomes if self._run else {}


def _stopped(ends: list[Outcome], summary: Summary) -> str:
    """Why the others were not replayed, and that they still wait."""
    held_back = len(summary.held_back)
    bad = [one for one in ends if not one.is_merged]
    if len(ends) == 1 and bad:
        (one,) = bad
        back = (
            f"it came back as dead letter {one.dead_letter} ({one.reason})" if one.dead_letter else "it is not merged"
        )
    else:
        back = f"{len(bad)} of them are not merged" if bad else "the first were no longer there"
    others = "the other is still waiting" if held_back == 1 else f"the other {held_back:,} are still waiting"
    return escape_unprintable(f"stopped after {len(ends)} of {len(ends) + held_back}: {back}; {others}")
