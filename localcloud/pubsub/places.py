"""How many requests a service takes at once, and what Cloud Run answers to one more."""

import threading

TOO_MANY = 429
QUEUE_SECONDS = 10.0
"""A request waits so long for an instance, or for 3.5 times the time that one takes to start, whichever is more: a
function's start is faster than that (https://cloud.google.com/run/docs/about-instance-autoscaling#excess-traffic)."""


class Places:
    """As many as all instances of a service have threads. Where no number is given there is always one."""

    def __init__(self, number: int | None) -> None:
        self._free = threading.Semaphore(number) if number else None

    def take(self, seconds: float = QUEUE_SECONDS) -> bool:
        """Whether a place is, or becomes, free within some seconds; it is the caller's until `leave`."""
        return self._free is None or self._free.acquire(timeout=seconds)

    def leave(self) -> None:
        """Give a place back."""
        if self._free is not None:
            self._free.release()
