"""The dead letters at a glance: groups of a kind, then letters, a page at a time.

Read from their table, which takes no lease: whoever looks keeps nobody from acting. Of ten thousand letters no message
is kept in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nlargest, nsmallest
from sys import intern

from dropmerge.operations.backlog import waiting_dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.ends import WAITING, End
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.kept import KeptLetter, waiting_letters
from dropmerge.operations.dead_letters.newer import with_newer
from dropmerge.operations.dead_letters.reading import read_ended
from services.shared.messages.dead_letter import DeadLetter

MOST = 10_000
"""Letters that a board holds one by one; of more, the others are counted."""
_LINE = 300
"""Characters of an error that are kept."""
_NO_ATTRIBUTES: Mapping[str, str] = {}


@dataclass(frozen=True, order=True)
class Kind:
    """What makes letters a group: they have one cause, more often than not."""

    reason: str
    feed: str
    """Empty where none is known."""
    service: str


@dataclass(frozen=True, slots=True)
class Line:
    """A dead letter without its message, and of its error the first line."""

    letter: DeadLetter
    end: End = WAITING

    @property
    def kind(self) -> Kind:
        return _kind(self.letter)

    @property
    def place(self) -> tuple[datetime, str]:
        """What a board is ordered by: no two letters have the same."""
        return self.end.at or self.letter.at, self.letter.id


@dataclass
class Group:
    kind: Kind
    oldest: datetime
    count: int = 0
    came_back: int = 0
    """Of these, how many had been replayed before."""


@dataclass(frozen=True)
class Board:
    groups: Sequence[Group]
    """The largest first."""
    lines: Sequence[Line]
    """The oldest first; of those that ended, the latest end first. At most `MOST`."""
    waiting: int
    """As the subscriptions say; of those that ended, as many as there are."""
    states: Mapping[str, int] = field(default_factory=dict)
    """Of those that ended: how many of each."""

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups)

    @property
    def elsewhere(self) -> int:
        """Letters that wait and are not in the table yet."""
        return max(0, self.waiting - self.count)


def read_board(connection: Connection, wanted: Filter, before: Sequence[Line] = ()) -> Board:
    """Of the letters that wait. One query, whatever their number. Raises as `Warehouse`, and NoAnswer.

    `before`: lines of an earlier board, which are in memory once for both.
    """
    groups: dict[Kind, Group] = {}
    known = {line.letter.id: line for line in before}
    fitting = (_line(one, known) for one in waiting_letters(connection) if wanted.wants(one.letter))
    lines = nsmallest(MOST, _counted(fitting, groups, Counter()), key=_place)
    waiting = waiting_dead_letters(connection) if wanted.is_everything else len(lines)
    return Board(_by_size(groups), lines, waiting)


def narrowed(board: Board, wanted: Filter) -> Board | None:
    """Of a board of all letters that wait, those that are wanted; None where it does not tell: it may lack some."""
    lines = [line for line in board.lines if wanted.wants(line.letter)]
    if board.count > len(board.lines) or len(wanted.ids or lines) != len(lines):
        return None
    groups: dict[Kind, Group] = {}
    for line in lines:
        _count(groups, line.letter)
    return Board(_by_size(groups), lines, len(lines))


def read_ended_board(connection: Connection, wanted: Filter, age: timedelta) -> Board:
    """Of those that ended within this time. One query. Raises as `Warehouse`, and NoAnswer."""
    groups: dict[Kind, Group] = {}
    states = Counter[str]()
    ended = (_line(one, {}) for one in read_ended(connection, wanted, age))
    lines = nlargest(MOST, _counted(ended, groups, states), key=_place)
    return Board(_by_size(groups), lines, sum(states.values()), states)


def newer_of(connection: Connection, lines: Sequence[Line]) -> dict[str, int]:
    """By id, the merged generation of the file that is newer than the letter's. One query for 500."""
    judged = with_newer(connection, [line.letter for line in lines])
    return {one.id: newer for one, newer in judged if newer}


def _counted(found: Iterable[Line], groups: dict[Kind, Group], states: Counter[str]) -> Iterator[Line]:
    for one in found:
        states[one.end.state.value] += 1
        _count(groups, one.letter)
        yield one


def _place(line: Line) -> tuple[datetime, str]:
    return line.place


def _count(groups: dict[Kind, Group], one: DeadLetter) -> None:
    kind = _kind(one)
    group = groups.setdefault(kind, Group(kind, one.at))
    group.count += 1
    group.came_back += one.replay_count > 0
    group.oldest = min(group.oldest, one.at)


def _by_size(groups: Mapping[Kind, Group]) -> list[Group]:
    return sorted(groups.values(), key=lambda group: (-group.count, group.kind))


def _kind(one: DeadLetter) -> Kind:
    return Kind(one.reason, one.feed or "", one.service)


def _line(one: KeptLetter, known: Mapping[str, Line]) -> Line:
    letter = one.letter
    slim = replace(
        letter,
        reason=intern(letter.reason),
        feed=_once(letter.feed),
        bucket=_once(letter.bucket),
        contract=_once(letter.contract),
        error=intern(letter.first_line[:_LINE]),
        data=b"",
        attributes=_NO_ATTRIBUTES,
    )
    line, before = Line(slim, one.end), known.get(slim.id)
    return line if before is None or before != line else before


def _once(text: str | None) -> str | None:
    """What thousands of letters have alike is in memory once."""
    return text if text is None else intern(text)
