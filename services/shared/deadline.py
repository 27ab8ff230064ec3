"""Until when the delivery at hand may work: a push that is not answered in time is delivered again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services.shared.errors import Transient

_end: ContextVar[float] = ContextVar("end", default=float("inf"))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def left(most: float) -> float:
    """Seconds to wait for something, `most` where there is no deadline. Raises Transient when none is left."""
    seconds = min(most, _end.get() - time.monotonic())
    if seconds <= 0:
        raise Transient("this delivery has used up its time")
    return seconds
