"""What all pages read from: the connection of now, and the answers that all viewers share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.board import Board, narrowed, read_board, read_ended_board
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.errors import NotDone
from dropmerge.operations.no_answer import BIGQUERY
from dropmerge.operations.status.read import Reader, Status
from dropmerge.page.cache import Cache, Cached

T = TypeVar("T")
ENDED_WITHIN = timedelta(days=31)
"""Dead letters that ended before that are not shown."""


@dataclass
class Site:
    find: Callable[[], Connection]
    """The connection of now: the same again, unless it leads elsewhere by now. Raises NotDone where there is none."""
    cache: Cache = field(default_factory=Cache)
    _last: Connection | None = None
    _reader: tuple[Connection, Reader] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def connect(self) -> Connection:
        """The connection of now; the last one where there is none: what is asked says why it does not answer."""
        try:
            self._last = self.find()
        except NotDone:
            if self._last is None:
                raise
        return self._last

    @property
    def is_local(self) -> bool:
        """Whether what is asked is a cloud on this machine."""
        return bool(BIGQUERY.emulator)

    @property
    def seconds(self) -> float:
        """How long an answer is shown before it is read anew: each costs queries on Google Cloud."""
        return 3.0 if self.is_local else 60.0

    def read(self, question: Hashable, read: Callable[[Connection], T]) -> Cached[T]:
        """The answer to a question, read at most once in a while for all who ask."""
        return self.cache.get(question, self.seconds, lambda: read(self.connect()))

    def status(self, with_totals: bool = False) -> Cached[Status]:
        """What `dropmerge status` shows."""
        return self.read(("status", with_totals), lambda connection: self._of(connection).read(with_totals))

    def board(self, wanted: Filter) -> Cached[Board]:
        """The dead letters that wait: of one reading for all filters, where that has them all."""
        whole = self._whole_board()
        board = whole.value if wanted.is_everything else narrowed(whole.value, wanted)
        if board is None:
            return self.read(("board", wanted), lambda connection: read_board(connection, wanted))
        return replace(whole, value=board)

    def _whole_board(self) -> Cached[Board]:
        question = ("board", Filter())
        last = self.cache.last(question)
        before = last.value.lines if last else ()
        return self.read(question, lambda connection: read_board(connection, Filter(), before))

    def ended_board(self, wanted: Filter) -> Cached[Board]:
        """The dead letters that ended lately."""
        return self.read(("ended", wanted), lambda connection: read_ended_board(connection, wanted, ENDED_WITHIN))

    def known_letters(self) -> int | None:
        """How many dead letters wait, as far as anybody has asked lately."""
        answer = self.cache.last(("status", False))
        return answer.value.letters.count if answer else None

    def _of(self, connection: Connection) -> Reader:
        """One that remembers what it has read, as long as the connection is the same."""
        with self._lock:
            if self._reader is None or self._reader[0] is not connection:
                self._reader = (connection, Reader(connection))
            return self._reader[1]
