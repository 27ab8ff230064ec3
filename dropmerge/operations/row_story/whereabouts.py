"""Where a file stands, as it bears on a row of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dropmerge.operations.loads.history import LoadHistory
from dropmerge.operations.loads.states import State
from dropmerge.operations.row_story.unmerged import Unmerged

_BAD_ROWS = re.compile(r"([0-9]+ of [0-9]+) rows failed")


@dataclass(frozen=True)
class Whereabouts:
    state: State
    letter: str | None = None
    """The id of its dead letter."""
    reason: str | None = None
    """The dead letter's."""
    bad_rows: str | None = None
    """`30 of 60`, where they are why."""
    is_discarded: bool = False

    @property
    def words(self) -> str:
        """What the file is."""
        if self.state == State.DEAD_LETTERED and (self.is_discarded or self.letter is None):
            what = "was discarded" if self.is_discarded else "is no longer waiting"
            return f"a dead letter that {what}" + (f" ({self.reason})" if self.reason else "")
        if self.state == State.DEAD_LETTERED:
            why = f" ({self.bad_rows} rows bad)" if self.bad_rows else f" ({self.reason})" if self.reason else ""
            return f"dead letter {self.letter}{why}"
        return _WORDS.get(self.state, self.state.value)

    @property
    def why_not_merged(self) -> str:
        """A sentence on a row of it."""
        if self.state in (State.DEAD_LETTERED, State.IGNORED):
            return f"It is not merged because the file is {self.words}."
        return f"It is not merged yet: the file is {self.words}."


_WORDS = {
    State.STAGED: "staged and is waiting for its MERGE",
    State.LOADED: "loaded and is being checked",
    State.PINNED: "pinned and is waiting to be read",
    State.ARRIVED: "arrived and is waiting to be read",
    State.UNKNOWN: "in the bucket without a notification, and `dropmerge backfill` announces it",
    State.IGNORED: "ignored by its name",
    State.SUPERSEDED: "overwritten before it was read",
}


def of_unmerged(one: Unmerged) -> Whereabouts:
    """Of a file that was found among those not merged."""
    if one.letter is None:
        return Whereabouts(one.state, is_discarded=one.is_discarded)
    return Whereabouts(one.state, one.letter.id, one.letter.reason, bad_rows(one.letter.error))


def of_history(history: LoadHistory) -> Whereabouts:
    """Of a file whose history was read."""
    letter = history.dead_letter
    if letter is None:
        return Whereabouts(history.state)
    return Whereabouts(
        history.state, letter.dead_letter, letter.reason, bad_rows(letter.error), letter.discarded is not None
    )


def bad_rows(error: str | None) -> str | None:
    """How many of a file's rows are bad, as the error counts them: its examples are of other rows."""
    found = _BAD_ROWS.match(error or "")
    return found[1] if found else None
