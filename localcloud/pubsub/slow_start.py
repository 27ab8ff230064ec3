"""How many pushes may be under way at once: few at first, more with every success, fewer after failures."""

import threading
import time
from collections.abc import Callable

FIRST_WINDOW = 4
MAX_WINDOW = 1000
"""Google's window grows further, beyond what a machine has threads for."""
FIRST_PAUSE = 0.1
MAX_PAUSE = 1.0


class SlowStart:
    """A window that doubles with each round of successes and halves on a failure.

    A failure while the window is down to one pauses the subscription, longer each time. Google pauses for
    100 ms to 60 s; here it ends at one second, because a person waits for it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way = 0
        self._pause = FIRST_PAUSE
        self._paused_until = 0.0
        self.window = FIRST_WINDOW

    def free(self) -> int:
        """How many pushes may start now."""
        with self._lock:
            return 0 if self._clock() < self._paused_until else max(0, self.window - self._under_way)

    def pause_left(self) -> float | None:
        """Seconds until a pause ends; None when there is none, and only an answer can make room."""
        left = self._paused_until - self._clock()
        return left if left > 0 else None

    def started(self, count: int) -> None:
        """Count `count` pushes as under way."""
        with self._lock:
            self._under_way += count

    def succeeded(self) -> None:
        """Widen the window: a push was acknowledged."""
        with self._lock:
            self._under_way -= 1
            self._pause = FIRST_PAUSE
            self.window = min(MAX_WINDOW, self.window + 1)

    def failed(self) -> None:
        """Halve the window: a push was refused, timed out or found no server."""
        with self._lock:
            self._under_way -= 1
            if self.window == 1:
                self._paused_until = self._clock() + self._pause
                self._pause = min(MAX_PAUSE, self._pause * 2)
            self.window = max(1, self.window // 2)

    @property
    def idle(self) -> bool:
        """Whether no push is under way."""
        return self._under_way == 0
