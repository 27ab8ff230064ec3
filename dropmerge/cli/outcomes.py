"""What became of files, in words: a line per file with the next command, and how many ended how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from dropmerge.cli.terminal import escape_unprintable, pluralize, shorten_list
from dropmerge.operations.loads.outcomes import Outcome
from dropmerge.operations.loads.states import State

_DIED = "dead-lettered"
_MAX_CHARACTERS = 200


def describe(outcome: Outcome, name: str, died: str = _DIED) -> str:
    """One line: the name, what became of it, details, and the next command where there is one."""
    parts = [name, _word(outcome, died), _details(outcome)]
    command = _next_command(outcome)
    return escape_unprintable("  ".join(part for part in parts if part) + (f" → {command}" if command else ""))


def describe_all(outcomes: Iterable[Outcome], died: str = _DIED) -> list[str]:
    """A line for each of the first twenty, by its object's name, and how many more there are."""
    return shorten_list([describe(one, one.source.name or "(no file is named)", died) for one in outcomes])


def count(outcomes: Iterable[Outcome], died: str = _DIED) -> str:
    """3 merged, 1 dead-lettered (wrong_header); empty for none."""
    numbers = Counter((not one.is_merged, _word(one, died), one.reason or "") for one in outcomes)
    return ", ".join(
        f"{number:,} {word}" + (f" ({reason})" if reason else "")
        for (_, word, reason), number in sorted(numbers.items())
    )


def count_steps(states: Iterable[State]) -> str:
    """1 file in flight: loaded; or 3 files in flight: 1 loaded, 2 staged."""
    numbers = Counter(_step(state) for state in states)
    steps = [word if len(numbers) == 1 else f"{number:,} {word}" for word, number in sorted(numbers.items())]
    return f"{pluralize(numbers.total(), 'file')} in flight: {', '.join(steps)}"


def why_not_ended(state: Path, project: str | None) -> list[str]:
    """The parts of the local cloud that are down. Of Google Cloud nothing is known here."""
    from localcloud.cloud import LocalCloud

    dead = [] if project else LocalCloud(state).dead()
    return (
        [f"{', '.join(dead)} of the local cloud does not run: `dropmerge up` starts what is missing"] if dead else []
    )


def _word(outcome: Outcome, died: str = _DIED) -> str:
    if outcome.state == State.DEAD_LETTERED:
        return died if outcome.discarded is None else "discarded"
    return _step(outcome.state)


def _step(state: State) -> str:
    return "not arrived" if state == State.UNKNOWN else state.value


def _details(outcome: Outcome) -> str:
    if outcome.is_merged:
        rows = [] if outcome.rows is None else [pluralize(outcome.rows, "row")]
        rejected = [f"{outcome.rejected:,} rejected"] if outcome.rejected else []
        took = [] if outcome.seconds is None else [f"in {outcome.seconds:,.1f} s"]
        return ", ".join([*rows, *rejected, *took])
    if outcome.discarded is not None:
        return f"{outcome.reason}: {outcome.discarded}"
    if outcome.reason:
        first = (outcome.error or "").partition("\n")[0]
        return f"{outcome.reason}: {_shortened(first)}" if first else outcome.reason
    return outcome.state.sentence if outcome.state in (State.SUPERSEDED, State.IGNORED) else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"


def _next_command(outcome: Outcome) -> str | None:
    if outcome.is_merged or outcome.state == State.IGNORED or outcome.discarded is not None:
        return None
    if outcome.dead_letter:
        return f"dropmerge dead-letters show {outcome.dead_letter}"
    return f"dropmerge explain '{outcome.source}'" if outcome.source.generation else None
