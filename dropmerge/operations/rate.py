"""Doing many things at a given rate."""

from __future__ import annotations

import time

MAX_BATCH = 500


class RateLimiter:
    """Spreads batches so that on average no more than `rate` messages per second are sent; None is no limit."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next = time.monotonic()

    @property
    def batch(self) -> int:
        """How many to take at once: a second's worth."""
        return MAX_BATCH if self._rate is None else max(1, min(MAX_BATCH, int(self._rate)))

    def wait(self, count: int) -> None:
        """Until `count` more may go."""
        if self._rate is None:
            return
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic()) + count / self._rate
