"""What a process remembers between merges: whose turn it is, and which loads it has seen."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from services.shared.errors import TransientError

_MAX_REMEMBERED = 10_000


class Turns:
    """One merge at a time into each main table.

    Waiting here, not at BigQuery, is what lets a group form. Between processes the lock row decides.
    """

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @contextmanager
    def turn(self, table: str, seconds: float) -> Iterator[None]:
        """Holds the table's turn. Raises: TransientError when it does not come within some seconds."""
        lock = self._locks[table]
        if not lock.acquire(timeout=seconds):
            raise TransientError("another merge into the main table took too long")
        try:
            yield
        finally:
            lock.release()


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
