"""Time budget of the current delivery: a push that is not answered in time is delivered again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services.shared.errors import TransientError

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """What runs within has this much time, in seconds."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining(most: float) -> float:
    """Seconds to wait for something, `most` where there is no limit. Raises: TransientError when none are left."""
    seconds = min(most, _deadline.get() - time.monotonic())
    if seconds <= 0:
        raise TransientError("this delivery has used up its time")
    return seconds
