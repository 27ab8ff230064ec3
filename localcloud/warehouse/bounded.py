"""Stores that are bounded by count and by bytes."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

READING_SECONDS = 300.0
"""How long a client may take to ask for a result, or for its next page."""

_SMALL = 2**20


class Tables(MutableMapping[str, Any]):
    """Arrow tables, or objects that hold one as `table`. Past the bounds, those used least recently are dropped.

    A table that was asked for within `READING_SECONDS` stays, unless `done` says that it was read completely.
    """

    def __init__(
        self,
        most: int,
        most_bytes: int,
        forget: Callable[[str], object] = lambda key: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._most_bytes, self._forget, self._clock = most, most_bytes, forget, clock
        self._kept: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._asked: dict[str, float] = {}
        self._lock = threading.RLock()  # threads of the server use it

    def __getitem__(self, key: str) -> Any:
        with self._lock:
            self._kept[key] = self._kept.pop(key)
            self._asked[key] = self._clock()
            return self._kept[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, pa.Table):
            value = compact(value)
        with self._lock:
            self.pop(key, None)
            self._kept[key], self._asked[key] = value, self._clock()
            self._sizes[key] = getattr(value, "table", value).get_total_buffer_size()
            self._make_room()

    def __delitem__(self, key: str) -> None:
        with self._lock:
            for one in (self._kept, self._sizes, self._asked):
                del one[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def done(self, key: str) -> None:
        """Let a table be dropped: it was read completely."""
        with self._lock:
            if key in self._kept:
                self._asked[key] = float("-inf")
            self._make_room()

    def _make_room(self) -> None:
        count, size, long_ago = len(self._kept), sum(self._sizes.values()), self._clock() - READING_SECONDS
        for key in list(self._kept):
            if count <= self._most and size <= self._most_bytes:
                return
            if self._asked[key] < long_ago:
                count, size = count - 1, size - self._sizes[key]
                del self[key]
                self._forget(key)


def compact(table: pa.Table) -> pa.Table:
    """The same rows in less memory: DuckDB's buffers have room for two thousand rows, even if there is one."""
    if table.nbytes > _SMALL:
        return table
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


Key = tuple[Any, ...]


class Youngest:
    """The youngest keys, bounded by their number and by the bytes that they stand for."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._left = most, most_bytes
        self._sizes: dict[Key, int] = {}
        self._lock = threading.RLock()

    def add(self, key: Key, size: int) -> list[Key]:
        """Adds a key; returns those that it displaces, oldest first, never itself."""
        gone = []
        with self._lock:
            self.discard(key)
            self._sizes[key] = size
            self._left -= size
            while (len(self._sizes) > self._most or self._left < 0) and len(self._sizes) > 1:
                gone.append(next(iter(self._sizes)))
                self.discard(gone[-1])
        return gone

    def __contains__(self, key: Key) -> bool:
        return key in self._sizes

    def discard(self, key: Key) -> bool:
        """Removes a key; returns whether it was there."""
        with self._lock:
            size = self._sizes.pop(key, None)
            self._left += size or 0
            return size is not None


def remembered(
    most: int = 400, most_characters: int = 4_000_000
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function of a text, and of what else it is given, asked once as long as the text is among the youngest."""

    def of(answer: Callable[..., Any]) -> Callable[..., Any]:
        found: dict[Key, Any] = {}
        asked = Youngest(most, most_characters)
        lock = threading.Lock()

        @functools.wraps(answer)
        def ask(*given: Any) -> Any:
            with lock:
                known = given in found
                value = found.get(given)
            if not known:
                value = answer(*given)
            with lock:
                found[given] = value
                for old in asked.add(given, len(given[0])):
                    del found[old]
            return value

        return ask

    return of
