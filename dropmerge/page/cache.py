"""What was read last, for all who look: read once however many ask, and still shown where it cannot be read anew."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from dropmerge.operations.describe_error import describe_error
from dropmerge.operations.errors import UsageError
from dropmerge.operations.no_answer import BIGQUERY, NoAnswer

T = TypeVar("T")

_MOST = 100
"""Answers that are kept; the one that was asked for longest ago goes first."""
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


class Cache:
    """`clock`: as time.monotonic, which decides when an answer is old."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._away: tuple[float, NoAnswer] | None = None
        """Until when, and what it said."""

    def get(self, question: Hashable, seconds: float, read: Callable[[], T]) -> Cached[T]:
        """The answer, read anew where it is older than that. Who asks while another reads gets the old one, if any.

        Raises what reading raises, where it never succeeded, or where the question itself is wrong.
        """
        place = self._place(question)
        old = place.answer
        if old is not None and self._clock() < place.next_look:
            return old
        if not place.turn.acquire(blocking=old is None):
            assert old is not None
            return old
        try:
            if place.answer is not None and self._clock() < place.next_look:
                return place.answer
            return self._read(place, seconds, read)
        finally:
            place.turn.release()

    def forget(self) -> None:
        """All are read anew when they are next asked for: something was changed."""
        with self._lock:
            self._away = None
            for place in self._places.values():
                place.next_look = 0.0

    def last(self, question: Hashable) -> Cached[Any] | None:
        """What is known without reading."""
        with self._lock:
            place = self._places.get(question)
        return place.answer if place else None

    def _read(self, place: _Place, seconds: float, read: Callable[[], T]) -> Cached[T]:
        as_of, began = datetime.now(UTC), self._clock()
        try:
            answer = Cached(self._ask(read), as_of)
        except UsageError:
            raise
        except Exception as error:
            trouble = describe_error(error)
            if place.answer is None or trouble is None:
                raise
            answer = replace(place.answer, trouble=trouble)
        place.answer = answer
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
