"""Wakes the threads that wait for a change of a subscription, so that none polls."""

import threading
from collections import defaultdict
from collections.abc import Iterable


class Signals:
    """A counter per subscription. Read it, look for work, wait until it moves on: no wake-up is lost."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._counts: defaultdict[str, int] = defaultdict(int)
        self.closed = False

    def count(self, name: str) -> int:
        """How often `name` has been notified so far."""
        with self._condition:
            return self._counts[name]

    def notify(self, names: Iterable[str]) -> None:
        """Wake those who wait on these subscriptions."""
        with self._condition:
            for name in names:
                self._counts[name] += 1
            self._condition.notify_all()

    def wait(self, name: str, seen: int, timeout: float | None) -> None:
        """Return once the count of `name` is no longer `seen`, after `timeout`, or when the server stops."""
        with self._condition:
            self._condition.wait_for(lambda: self.closed or self._counts[name] != seen, timeout)

    def pause(self, seconds: float) -> None:
        """Return after this time, or when the server stops."""
        with self._condition:
            self._condition.wait_for(lambda: self.closed, seconds)

    def close(self) -> None:
        """Wake every waiter, for good: the server stops."""
        with self._condition:
            self.closed = True
            self._condition.notify_all()
