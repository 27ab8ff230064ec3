"""Dead letters, read and left where they are."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.ends import WAITING, End, LetterState, read_ends, retention
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.kept import KeptLetter, kept_letters
from dropmerge.operations.dead_letters.newer import is_merged
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.dead_letters.waiting import UNREADABLE, is_complete, waiting
from dropmerge.operations.errors import UsageError
from services.shared.messages.dead_letter import DeadLetter

_MAX_ANCESTORS = 20


@dataclass(frozen=True)
class LetterStory:
    letter: DeadLetter
    end: End
    ancestors: Sequence[KeptLetter] = ()
    """What it came from, by replays and undone discards, the last first."""
    is_merged: bool = False
    """Whether its file is merged since it was replayed."""


def read_dead_letters(connection: Connection, wanted: Filter, summary: Summary) -> Generator[DeadLetter, None, None]:
    """Those that wait, each once, in no order, counted in the summary as it passes."""
    with waiting(connection, wanted.services, wanted.ids) as source:
        for batch in wanted.batches(source, summary):
            for one in batch:
                summary.add([one])
                yield one


def read_ended(connection: Connection, wanted: Filter, age: timedelta) -> Iterator[KeptLetter]:
    """Those that ended within `age`, in no order. Raises as `Warehouse`, and NoAnswer."""
    # What ended then was written at most as long before as it can wait.
    for one in kept_letters(connection, "ended", wanted.ids, age + retention(connection)):
        if wanted.wants(one.letter) and one.end.is_within(age):
            yield one


def read_story(connection: Connection, dead_letter_id: str) -> LetterStory:
    """The one with this id, whether it waits or not. Raises UsageError; as `Warehouse`, and NoAnswer, where only the
    table could tell and cannot be read."""
    unreadable: Exception | None = None
    try:
        kept = _kept(connection, dead_letter_id)
    except UNREADABLE as error:
        kept, unreadable = None, error
    if kept and (not connection.may_lease or is_complete(connection, kept.waiting)):
        return _story(connection, kept, kept.end)
    waits = _waits(connection, dead_letter_id) if connection.may_lease else None
    if kept is None:
        if waits is None:
            raise unreadable or UsageError(_unknown([dead_letter_id]))
        return LetterStory(waits, WAITING)
    end = WAITING if waits else kept.end
    if waits is None and end.state == LetterState.WAITING:
        end = End(LetterState.UNKNOWN)
    return _story(connection, kept, end)


def check_names(connection: Connection, wanted: Filter) -> dict[str, End]:
    """Nothing fits: how what was named has ended. Raises UsageError where it never was there."""
    if wanted.feed is not None:
        connection.feed(wanted.feed)
    ended = read_ends(connection, wanted.ids)
    if unknown := sorted(wanted.ids - ended.keys()):
        raise UsageError(_unknown(unknown))
    return ended


def check_known(connection: Connection, ids: Iterable[str]) -> None:
    """Raises UsageError where one of these never was there, by table and journal; as `Warehouse`, and NoAnswer."""
    wanted = set(ids)
    if not wanted:
        return
    missing = wanted - {one.letter.id for one in kept_letters(connection, ids=wanted)}
    if unknown := sorted(missing - read_ends(connection, missing).keys()):
        raise UsageError(_unknown(unknown))


def _story(connection: Connection, kept: KeptLetter, end: End) -> LetterStory:
    may_be_merged = end.state == LetterState.REPLAYED and not end.came_back_as
    merged = may_be_merged and is_merged(connection, kept.letter)
    return LetterStory(kept.letter, end, _ancestors(connection, kept), merged)


def _kept(connection: Connection, dead_letter_id: str) -> KeptLetter | None:
    found = kept_letters(connection, ids=[dead_letter_id])
    return next((one for one in found if one.letter.id == dead_letter_id), None)


def _waits(connection: Connection, dead_letter_id: str) -> DeadLetter | None:
    wanted = Filter(ids=frozenset([dead_letter_id]))
    with DeadLetterSubscription(connection) as subscription, closing(wanted.batches(subscription, Summary())) as found:
        return next((one for batch in found for one in batch), None)


def _ancestors(connection: Connection, kept: KeptLetter) -> list[KeptLetter]:
    found: list[KeptLetter] = []
    parent = kept.undo_of or kept.letter.replay_of
    while parent and len(found) < _MAX_ANCESTORS:
        before = _kept(connection, parent)
        if before is None:
            break
        found.append(before)
        parent = before.undo_of or before.letter.replay_of
    return found


def _unknown(ids: Sequence[str]) -> str:
    return f"no dead letter {', '.join(ids)} is known: `dropmerge dead-letters list` lists those that are waiting"
