"""Wakes the threads that wait for a change of a subscription, so that none polls."""

import threading
from collections import defaultdict
from collections.abc import Iterable


class Signals:
    """A counter per subscription. Read it, look for work, wait until it moves on: no wake-up is lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._conditions = defaultdict[str, threading.Condition](lambda: threading.Condition(self._lock))
        self._closing = threading.Event()
        self._counts: defaultdict[str, int] = defaultdict(int)

    @property
    def closed(self) -> bool:
        """Whether the server stops."""
        return self._closing.is_set()

    def count(self, name: str) -> int:
        """How often `name` has been notified so far."""
        with self._lock:
            return self._counts[name]

    def notify(self, names: Iterable[str]) -> None:
        """Wake those who wait on these subscriptions."""
        with self._lock:
            for name in names:
                self._counts[name] += 1
                self._conditions[name].notify_all()

    def wait(self, name: str, seen: int, timeout: float | None) -> None:
        """Return once the count of `name` is no longer `seen`, after `timeout`, or when the server stops."""
        with self._lock:
            self._conditions[name].wait_for(lambda: self.closed or self._counts[name] != seen, timeout)

    def pause(self, seconds: float) -> None:
        """Return after this time, or when the server stops."""
        self._closing.wait(seconds)

    def close(self) -> None:
        """Wake every waiter, for good: the server stops."""
        with self._lock:
            self._closing.set()
            for condition in self._conditions.values():
                condition.notify_all()
