"""What a process remembers between merges: who waits for a main table, whose turn it is, which loads it has seen."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.shared.errors import PermanentError, TransientError

_MAX_REMEMBERED = 10_000
_SHARE = 0.8
"""Of the threads that other main tables leave, so many may wait for one: there is always a place for another."""
_ANSWERED_AT_ONCE = 4
"""Of the messages that one MERGE answers: hundreds of threads at once take turns longer than they work."""


@dataclass(frozen=True)
class Times:
    """When, by the monotonic clock, who waits gives up."""

    lead: float
    """From then on too little time is left for a MERGE."""
    end: float
    """From then on too little is left to answer."""


@dataclass(eq=False)
class Waiting:
    """A message that waits for a main table, or has its turn."""

    load_id: str
    woken: threading.Condition
    """It alone waits for this."""
    is_urgent: bool = False
    is_merged: bool = False
    """By the group of another message, after this one had come."""
    is_covered: bool = False
    """Whether it had come before the staging tables were listed that are being merged."""
    is_called: bool = False
    """Whether it was woken to be answered."""


@dataclass
class _Table:
    changed: threading.Condition
    """For who lingers with the turn. Each of the others waits for a condition of its own."""
    waiting: list[Waiting] = field(default_factory=list)
    """In the order in which they came."""
    leader: Waiting | None = None
    merged_at: float | None = None
    merge_seconds: float = 0.0
    was_full: bool = False
    """Whether a message found no place since the turn began."""

    @property
    def taken(self) -> int:
        """How many places: whoever is merged leaves at once."""
        return sum(not one.is_merged for one in self.waiting)

    def wake(self, answered: int = 1) -> None:
        """So many more of those that are merged, and where nobody has the turn, who waits longest for it."""
        merged = [one for one in self.waiting if one.is_merged and not one.is_called]
        for one in merged[:answered]:
            one.is_called = True
            one.woken.notify()
        if self.leader is None:
            for one in self.waiting:
                if not one.is_merged:
                    one.woken.notify()
                    return


class Turns:
    """One merge at a time into each main table, of all that waits.

    Waiting here, not at BigQuery, is what lets a group form. Between processes the lock row decides.
    """

    def __init__(self, threads: int = 250, clock: Callable[[], float] = time.monotonic) -> None:
        """`threads`: how many messages this process works on at once, those that wait among them."""
        self._threads = threads
        self._clock = clock
        self._lock = threading.Lock()
        self._tables: dict[str, _Table] = {}
        self._answered = 0

    @contextmanager
    def turn(self, name: str, load_id: str, times: Times, is_urgent: bool = False) -> Iterator[Turn]:
        """Comes back with the turn, or with the load merged by another's.

        Raises TransientError at once where too many wait for this main table, and when its time is over.
        """
        one = Waiting(load_id, threading.Condition(self._lock), is_urgent)
        with self._lock:
            table = self._tables.setdefault(name, _Table(threading.Condition(self._lock)))
            self._enter(name, table, one)
        try:
            with self._lock:
                self._await(table, one, times)
            yield Turn(table, one, self._clock, self._is_crowded)
        except PermanentError:
            self._leave(table, one, is_answered=True)
            raise
        except BaseException:
            self._leave(table, one, is_answered=False)
            raise
        self._leave(table, one, is_answered=True)

    def _enter(self, name: str, table: _Table, one: Waiting) -> None:
        taken = table.taken
        others = sum(other.taken for other in self._tables.values()) - taken
        if taken >= max(1, int(_SHARE * (self._threads - others))):
            table.was_full = True
            self._answered //= 2
            table.changed.notify_all()
            raise TransientError(f"{taken} messages wait for {name} already, and others need a place")
        table.waiting.append(one)
        # It may make those linger no longer that have the turn of another table.
        for other in self._tables.values():
            other.changed.notify_all()

    def _leave(self, table: _Table, one: Waiting, is_answered: bool) -> None:
        with self._lock:
            self._answered = min(self._threads, self._answered + 1) if is_answered else self._answered // 2
            table.waiting.remove(one)
            if table.leader is one:
                table.leader = None
            table.wake()
            table.changed.notify_all()

    @property
    def _waiting(self) -> int:
        return sum(len(one.waiting) for one in self._tables.values())

    def _is_crowded(self) -> bool:
        """Whether those that wait may be all that Pub/Sub pushes at once, so that nobody else's message comes.

        It begins with few, and pushes more with each message that is acknowledged and fewer with each that is not
        (https://cloud.google.com/pubsub/docs/push): half of what that adds up to is left to others.
        """
        return 2 * self._waiting > self._answered

    def _await(self, table: _Table, one: Waiting, times: Times) -> None:
        while not one.is_merged:
            now = self._clock()
            if now >= (times.lead if table.leader is None else times.end):
                raise TransientError("another merge into the main table took too long")
            if table.leader is None:
                table.leader, table.was_full = one, False
                return
            one.woken.wait(times.end - now)


class Turn:
    """A main table's turn, or a load that needs none any more."""

    def __init__(
        self, table: _Table, one: Waiting, clock: Callable[[], float], is_crowded: Callable[[], bool]
    ) -> None:
        self._table = table
        self._one = one
        self._clock = clock
        self._is_crowded = is_crowded

    @property
    def is_merged(self) -> bool:
        """Whether another message's group has merged the load meanwhile: then this is not the table's turn."""
        return self._one.is_merged

    @property
    def merged_at(self) -> float | None:
        """When this process last merged into the table, by the monotonic clock; None where it has not."""
        return self._table.merged_at

    @property
    def merge_seconds(self) -> float:
        """How long that took."""
        return self._table.merge_seconds

    def linger(self, until: float, enough: int) -> None:
        """Waits for more to come: until a time, or so many wait, or another finds no place, or one cannot wait, or
        those that wait could keep messages of other tables from coming."""
        with self._table.changed:
            while (left := until - self._clock()) > 0 and not self._is_enough(enough):
                self._table.changed.wait(left)

    def _is_enough(self, enough: int) -> bool:
        waiting = self._table.waiting
        is_full = self._table.was_full or len(waiting) >= enough or self._is_crowded()
        return is_full or any(one.is_urgent for one in waiting)

    def cover(self) -> list[str]:
        """From here on the staging tables are listed: the load ids of the messages that have come, this one's too."""
        with self._table.changed:
            for one in self._table.waiting:
                one.is_covered = True
            return [one.load_id for one in self._table.waiting if not one.is_merged]

    def answer(self, load_ids: Collection[str]) -> None:
        """These loads are merged: whoever waits with one of them, and is covered, need wait no more."""
        with self._table.changed:
            for one in self._table.waiting:
                one.is_merged = one.is_merged or (one.is_covered and one.load_id in load_ids)
            self._table.wake(_ANSWERED_AT_ONCE)

    def record_merge(self, seconds: float) -> None:
        """A MERGE has just ended that took so long."""
        with self._table.changed:
            self._table.merged_at, self._table.merge_seconds = self._clock(), seconds


class RecentIds:
    """Load ids, the latest ten thousand."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, load_id: str) -> bool:
        with self._lock:
            return load_id in self._ids

    def add(self, load_id: str) -> None:
        with self._lock:
            self._ids[load_id] = None
            while len(self._ids) > _MAX_REMEMBERED:
                self._ids.popitem(last=False)
