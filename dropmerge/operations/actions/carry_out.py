"""Carries out a recorded action, and records how far it is. Safe to kill and to begin again: what was replayed and is
merged changes nothing, and what is no longer there is left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dropmerge.operations.actions.record import Action, Kind, end, is_cancelled, move
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.ends import read_ends
from dropmerge.operations.dead_letters.filters import MAX_REPLAYS, Filter
from dropmerge.operations.dead_letters.replay import discard
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.dead_letters.undo import find_undoable, undo
from dropmerge.operations.describe_error import describe_error
from dropmerge.operations.loads.outcomes import Outcome
from dropmerge.operations.loads.replays import FollowedReplay
from dropmerge.operations.rate import RateLimiter

FOLLOW_SECONDS = 600.0
"""How long files are followed to their ends."""
_LOOK_SECONDS = 2.0
_SILENCE_SECONDS = 15.0
"""How long nothing is said where nothing changes."""
_MOST_NAMED = 200
"""Dead letters that an end names one by one."""


class Cancelled(Exception):
    """Somebody asked for the end; what is done stays done."""


@dataclass
class _Run:
    connection: Connection
    """With the action's operation, whose id and account its events have."""
    action: Action
    done: int = 0
    outcomes: Sequence[Outcome] = ()
    _said: dict[str, Any] = field(default_factory=dict)
    _next_look: float = 0.0
    _next_word: float = 0.0

    def progress(self, done: int) -> None:
        """After each batch. Raises Cancelled."""
        self.done = done
        self._say()

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """While files are followed. Raises Cancelled."""
        self.outcomes = outcomes
        self._say()

    @property
    def counts(self) -> dict[str, Any]:
        """What became of it so far."""
        merged = sum(one.is_merged for one in self.outcomes)
        ended = sum(one.state.is_terminal for one in self.outcomes)
        follows = self.action.kind == Kind.REPLAY
        known = {"merged": merged, "came_back": ended - merged, "moving": self.done - ended} if follows else {}
        return {"done": self.done, **known}

    def _say(self) -> None:
        now, counts = time.monotonic(), self.counts
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        if counts != self._said or now >= self._next_word:
            move(self.connection, counts)
            self._said, self._next_word = counts, now + _SILENCE_SECONDS
        if is_cancelled(self.connection, self.action.id):
            raise Cancelled


def carry_out(connection: Connection, action: Action) -> None:
    """Do it, and record its end, whatever that is. Raises what is a bug."""
    run = _Run(connection, action)
    try:
        move(connection, run.counts)
        detail = _KINDS[action.kind](run)
    except Cancelled:
        detail = {"outcome": "cancelled"}
    except Exception as error:
        words = describe_error(error)
        end(
            connection,
            {"outcome": "failed", **run.counts, "error": words or f"{type(error).__name__}, which is a bug"},
        )
        if words is None:
            raise
        return
    end(connection, {**run.counts, **detail})


def _replay(run: _Run) -> dict[str, Any]:
    action = run.action
    wanted = Filter(ids=frozenset(action.letters), max_replays=None if action.force else MAX_REPLAYS)
    replay = FollowedReplay(run.connection, RateLimiter(action.rate), FOLLOW_SECONDS, action.canary)

    def progress(done: int) -> None:
        # Those of the canary have ended when the others are sent.
        run.outcomes = list(replay.outcomes.values())
        run.progress(done)

    summary = replay.run(wanted, progress, lambda some: run.tell([*replay.outcomes.values(), *some]))
    run.done, run.outcomes = summary.count, list(replay.outcomes.values())
    back = [one.dead_letter for one in run.outcomes if one.dead_letter and not one.is_merged]
    return {
        "outcome": "held_back" if summary.held_back else "done",
        "held_back": len(summary.held_back),
        "over_replay_limit": summary.over_replay_limit,
        "came_back_ids": back[:_MOST_NAMED],
        **_taken(run, summary),
    }


def _discard(run: _Run) -> dict[str, Any]:
    wanted = Filter(ids=frozenset(run.action.letters))
    summary = discard(run.connection, wanted, run.action.why, run.progress)
    run.done = summary.count
    return {"outcome": "done", **_taken(run, summary)}


def _undo(run: _Run) -> dict[str, Any]:
    found = find_undoable(run.connection, run.action.letters)
    undone = undo(run.connection, found.letters)
    run.done = len(undone)
    waits_as = {one.id: one.waits_as for one in undone[:_MOST_NAMED]}
    return {"outcome": "done", "waits_as": waits_as, "taken": list(found.others)[:_MOST_NAMED]}


def _taken(run: _Run, summary: Summary) -> dict[str, Any]:
    """Those that were chosen and that somebody else took first."""
    left = {*summary.seen, *summary.held_back}
    missing = [one for one in run.action.letters if one not in left]
    if summary.over_replay_limit:
        # Letters that were replayed too often are missing, too, and are still there.
        ends = read_ends(run.connection, missing)
        missing = [one for one in missing if one in ends]
    return {"taken": missing[:_MOST_NAMED]}


_KINDS: dict[Kind, Callable[[_Run], dict[str, Any]]] = {
    Kind.REPLAY: _replay,
    Kind.DISCARD: _discard,
    Kind.UNDO: _undo,
}
