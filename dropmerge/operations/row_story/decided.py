"""Which rule decides between a row of a file and the main table's, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dropmerge.operations.row_story.found import FoundRow
from dropmerge.operations.row_story.key import parse
from dropmerge.operations.row_story.wording import Wording, joined, say, value
from dropmerge.operations.trial.texts import text_of
from services.shared.contract.feed import Feed
from services.shared.contract.order import DELETED, GENERATION, OBJECT, ranking


@dataclass(frozen=True)
class Decision:
    verdict: str
    """`newer`, `older` or `same`; `found` where there is nothing to compare with."""
    words: Wording
    """What follows `FILE has this row`."""


def decide(feed: Feed, reading: Feed, row: FoundRow, main: FoundRow | None) -> Decision:
    """Both rows were found together. `reading`: the feed, or what is left of it."""
    version = version_of(reading, row)
    with_version = say(" with {}", version) if version else say("")
    if main is None or reading.versions != feed.versions:
        return Decision("found", with_version)
    # What is left of a contract knows no other columns.
    steps = [rank.name for rank in ranking(reading)]
    steps = steps if reading is feed else steps[: steps.index(DELETED.name) + 1]
    differing = ((name, row.ranks[n] > main.ranks[n]) for n, name in enumerate(steps) if row.ranks[n] != main.ranks[n])
    name, is_greater = next(differing, (None, False))
    if name is None:
        return Decision("same", say("{}, the same as the table's", with_version))
    if feed.mode == "snapshot" and name == DELETED.name:
        return Decision("older", say("{}, and a newer file lacks it", with_version))
    verdict = "newer" if is_greater else "older"
    if name in feed.versions:
        return Decision(verdict, say("{}, {} than the table's {}", with_version, verdict, version_of(feed, main)))
    equal = _equal(feed, name, is_greater, row.load_id == main.load_id)
    return Decision(verdict, say("{}{}", with_version, equal))


def _equal(feed: Feed, name: str, is_greater: bool, is_same_file: bool) -> str:
    which = "this one" if is_greater else "the table's"
    if name == GENERATION.name and not feed.versions:
        return f", {'newer' if is_greater else 'older'} than the table's: the newer upload wins"
    if name == GENERATION.name:
        return f", equal to the table's: at equal versions the newer upload wins, which is {which}"
    at_once = "of the same file" if is_same_file else "uploaded in the same microsecond"
    same = f"equal to the table's and {at_once}" if feed.versions else at_once
    if name == DELETED.name:
        return f", {same}: of the two the delete wins, which is {which}"
    if name == OBJECT.name:
        return f", {same}: the greater object name wins, which is {which}"
    return f", {same}: the greater {name} wins, which is {which}"


def compare_versions(feed: Feed, texts: Mapping[str, str | None], main: FoundRow) -> str | None:
    """`newer`, `older` or `equal` to the table's, of a row that is known by its texts; None where one is no value."""
    if not set(feed.versions) <= set(main.values):
        return None
    for column in (one for name in feed.versions for one in feed.columns if one.name == name):
        there = main.values.get(column.name)
        try:
            own = parse(column, texts.get(column.name) or "")
        except ValueError:
            return None
        if there is None or own != there:
            return "newer" if there is None or own > there else "older"
    return "equal" if feed.versions else None


def version_of(feed: Feed, row: FoundRow) -> Wording:
    """Each column of the version with its value; empty where the newest file wins."""
    return named(feed.versions, [text_of(row.values.get(name)) for name in feed.versions])


def named(names: Sequence[str], texts: Sequence[str | None]) -> Wording:
    """Names beside their texts."""
    return joined(", ", (say("{} {}", name, value(text)) for name, text in zip(names, texts, strict=True)))
