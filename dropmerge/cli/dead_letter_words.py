"""Dead letters, and what became of them, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dropmerge.cli.terminal import escape_unprintable, pluralize, print_table, shorten_list, table
from dropmerge.operations.dead_letters.ends import End, LetterState
from dropmerge.operations.dead_letters.summary import AGES, Summary
from dropmerge.operations.times import moment, recent_moment
from services.shared.messages.dead_letter import DeadLetter

_ERROR_CHARACTERS = 120


def print_summary(summary: Summary, err: bool = False) -> None:
    """How many of each kind, by age."""
    counts = table("service", "reason", "feed", "letters", *AGES)
    for kind, ages in summary.by_frequency():
        names = map(escape_unprintable, (kind.service, kind.reason, kind.feed))
        counts.add_row(*names, str(ages.total()), *(str(ages[name] or "") for name in AGES))
    print_table(counts, err)


def waiting_count(summary: Summary) -> str:
    """The last line of a list, which is what is left of it on a small terminal."""
    reasons = Counter[str]()
    for kind, ages in summary.kinds.items():
        reasons[kind.reason] += ages.total()
    verb = "is" if summary.count == 1 else "are"
    return escape_unprintable(f"{pluralize(summary.count, 'dead letter')} {verb} waiting: {_counts(reasons)}")


def ended_count(states: Mapping[str, int], days: int) -> str:
    """The last line of a list of those that ended."""
    total = sum(states.values())
    return f"{pluralize(total, 'dead letter')} ended within {pluralize(days, 'day')}: {_counts(Counter(states))}"


def waiting_line(one: DeadLetter, newer: int | None) -> str:
    again = f", replay {one.replay_count}" if one.replay_count else ""
    merged = f"; #{newer} of it is merged" if newer else ""
    return escape_unprintable(
        f"{one.id}  {moment(one.at)}  {one.reason}  {_place(one)}"
        f"  (attempt {one.attempts}{again}{merged})  {shorten(one.first_line)}"
    )


def ended_line(one: DeadLetter, end: End) -> str:
    return escape_unprintable(f"{one.id}  {one.reason}  {_place(one)}  {end_words(end)}")


def end_words(end: End, is_merged: bool | None = None) -> str:
    """Such as: discarded by ada at 18:53:02 UTC ("sent twice"). `is_merged`: whether the file of a replayed one is."""
    if end.state == LetterState.WAITING:
        return "waiting"
    if end.state == LetterState.UNKNOWN:
        return "another command holds it, or it was taken without a record"
    at = f" at {recent_moment(end.at)}" if end.at else ""
    by = f" by {end.who}" if end.who else ""
    why = f' ("{end.why}")' if end.why else ""
    return f"{end.state.value}{by}{at}{why}{_since_then(end, is_merged)}"


def taken_lines(ids: Iterable[str], ends: Mapping[str, End]) -> list[str]:
    """Of those that were agreed to and that somebody else took first."""
    unknown = End(LetterState.UNKNOWN)
    lines = [
        f"dead letter {one} was {end_words(ends[one])} while you were deciding"
        if one in ends
        else f"dead letter {one} is no longer there: {end_words(unknown)}"
        for one in ids
    ]
    return [escape_unprintable(line) for line in shorten_list(lines)]


def not_waiting_lines(ends: Mapping[str, End]) -> list[str]:
    return [escape_unprintable(f"dead letter {one} is not waiting: {end_words(end)}") for one, end in ends.items()]


def shorten(text: str, most: int = _ERROR_CHARACTERS) -> str:
    """Cut at a word, and before the JSON or the quotation that the cut would break open."""
    if len(text) <= most:
        return text
    cut = text[:most].rpartition(" ")[0] or text[:most]
    for opening, closing in ("{}", "[]"):
        if cut.count(opening) > cut.count(closing):
            cut = cut[: cut.index(opening)]
    return f"{cut.rstrip(' :,;')} …"


def _since_then(end: End, is_merged: bool | None) -> str:
    if end.undone_as:
        return f", and taken back: it is waiting as dead letter {end.undone_as}"
    if end.came_back_as:
        return f", and came back as dead letter {end.came_back_as}"
    return ", and its file is merged" if is_merged else ""


def _place(one: DeadLetter) -> str:
    return f"{one.object}#{one.generation}" if one.object else "-"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
