"""What was read last, for all who look: read once however many ask, and still shown where it cannot be read anew."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from dropmerge.operations.describe_error import describe_error
from dropmerge.operations.errors import UsageError
from dropmerge.operations.no_answer import BIGQUERY, NoAnswer

T = TypeVar("T")

_MOST = 100
"""Answers that are kept; the one that was asked for longest ago goes first."""
_PATIENCE_SECONDS = 1.5
"""How long who is shown an old answer otherwise waits for a new one."""
_AWAY_SECONDS = 1.0
"""How long BigQuery is asked nothing more once it has not answered: each question would wait as long again, and a page
has several."""


@dataclass(frozen=True)
class Cached(Generic[T]):
    value: T
    as_of: datetime
    trouble: str | None = None
    """Why there is no newer one."""


@dataclass
class _Place:
    """One question's."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    answer: Cached[Any] | None = None
    next_look: float = 0.0
    changes: int = 0
    """How many were known when the answer was read."""


class Cache:
    """`clock`: as time.monotonic, which decides when an answer is old; `patience` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, patience: float = _PATIENCE_SECONDS) -> None:
        self._clock = clock
        self._patience = patience
        self._lock = threading.Lock()
        self._changes = 0
        self._late: set[Future[Any]] = set()
        """What is read for longer than anybody waits for it."""
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._away: tuple[float, NoAnswer] | None = None
        """Until when, and what it said."""

    def get(self, question: Hashable, seconds: float, read: Callable[[], T]) -> Cached[T]:
        """The answer, read anew where it is older than that. Where that takes long, and for who asks while another
        reads, it is the old one, if any.

        Raises what reading raises, where it never succeeded, or where the question itself is wrong.
        """
        place = self._place(question)
        # After a change, an old answer would be a wrong one.
        old = place.answer if place.changes == self._changes else None
        if old is not None and self._clock() < place.next_look:
            return old
        if not place.turn.acquire(blocking=old is None):
            assert old is not None
            return old
        if old is not None:
            return self._read_beside(place, seconds, read, old)
        try:
            if place.answer and place.changes == self._changes and self._clock() < place.next_look:
                return place.answer
            return self._read(place, seconds, read)
        finally:
            place.turn.release()

    def forget(self) -> None:
        """All are read anew when they are next asked for: something was changed."""
        with self._lock:
            self._away = None
            self._changes += 1

    def last(self, question: Hashable) -> Cached[Any] | None:
        """What is known without reading."""
        with self._lock:
            place = self._places.get(question)
        return place.answer if place else None

    def _read_beside(self, place: _Place, seconds: float, read: Callable[[], T], old: Cached[T]) -> Cached[T]:
        """In a thread of its own, which gives the turn back."""
        found: Future[Cached[T]] = Future()

        def answer() -> None:
            try:
                found.set_result(self._read(place, seconds, read))
            except BaseException as error:
                found.set_exception(error)
            finally:
                place.turn.release()

        threading.Thread(target=answer, daemon=True).start()
        # One question that takes long is waited for, not each of a page.
        wait([found], 0.0 if self._late else self._patience)
        if found.done():
            return found.result()
        self._late.add(found)
        found.add_done_callback(self._late.discard)
        return old

    def _read(self, place: _Place, seconds: float, read: Callable[[], T]) -> Cached[T]:
        as_of, began, changes = datetime.now(UTC), self._clock(), self._changes
        try:
            answer = Cached(self._ask(read), as_of)
        except UsageError:
            raise
        except Exception as error:
            trouble = describe_error(error)
            if place.answer is None or trouble is None:
                raise
            answer = replace(place.answer, trouble=trouble)
        place.answer, place.changes = answer, changes
        now = self._clock()
        # What takes long to read is not read without end.
        place.next_look = now + max(seconds, now - began)
        return answer

    def _ask(self, read: Callable[[], T]) -> T:
        away = self._away
        if away is not None and self._clock() < away[0]:
            raise NoAnswer(away[1].api, away[1].why)
        try:
            return read()
        except NoAnswer as error:
            if error.api is BIGQUERY:
                self._away = (self._clock() + _AWAY_SECONDS, error)
            raise

    def _place(self, question: Hashable) -> _Place:
        with self._lock:
            place = self._places.setdefault(question, _Place())
            self._places.move_to_end(question)
            while len(self._places) > _MOST:
                self._places.popitem(last=False)
        return place
