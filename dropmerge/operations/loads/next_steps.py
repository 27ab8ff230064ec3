"""What to type next about a file, by where it stands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from dropmerge.operations.dead_letters.remedies import remedy_for
from dropmerge.operations.loads.history import LoadHistory
from dropmerge.operations.loads.states import State


@dataclass(frozen=True)
class Step:
    command: str | None
    """None where something else is to be done first."""
    why: str


def next_steps(history: LoadHistory, typed: str) -> Iterator[Step]:
    """In the order in which to try them; none where nothing is left to do. `typed`: how the person named the file."""
    name = shlex.quote(typed)
    if history.state == State.DEAD_LETTERED:
        yield from _of_dead_letter(history, typed)
    elif history.state == State.MERGED and history.rejected:
        yield Step(f"dropmerge rejected {name}", "shows the rejected rows")
    elif history.state == State.SUPERSEDED:
        yield Step(f"dropmerge explain {shlex.quote(history.source.uri)}", "shows the newer generation")
    elif history.state == State.UNKNOWN and history.is_live:
        yield Step(f"dropmerge backfill {name}", "announces the file")
    elif not history.state.is_terminal and history.source.generation:
        yield Step("dropmerge wait", "waits until it has ended")


def _of_dead_letter(history: LoadHistory, typed: str) -> Iterator[Step]:
    letter = history.dead_letter
    reason = letter.reason if letter else None
    if letter is None or letter.dead_letter is None:
        return
    if letter.discarded is not None:
        yield Step(f"dropmerge dead-letters undo {letter.dead_letter}", "takes the discard back")
        return
    if reason:
        yield Step(None, remedy_for(reason).fix)
    yield Step(f"dropmerge dead-letters show {letter.dead_letter}", "shows the message, and how to find the cause")
    yield from letter_steps(letter.dead_letter, reason, typed, history.newer_merged)


def letter_steps(dead_letter_id: str, reason: str | None, typed: str | None, newer: int | None) -> Iterator[Step]:
    """About a dead letter that waits. `typed`: a name of its file, if it has one; `newer`: a later generation that is
    merged."""
    discard = f"dropmerge dead-letters discard --id {dead_letter_id} --why 'sent again'"
    if newer:
        yield Step(discard, f"generation {newer} of the file is merged: this one is probably not needed any more")
    if reason == "too_many_bad_rows" and typed:
        name = shlex.quote(typed)
        yield Step(f"dropmerge rejected {name}", "shows the rejected rows")
        yield Step(f"dropmerge rejected {name} --csv FILE", "writes the whole file, and which of its rows are bad")
    yield Step(f"dropmerge dead-letters replay --id {dead_letter_id}", "tries again, once the cause is fixed")
    if not newer:
        yield Step(discard, "gives it up, once a corrected file is merged")
