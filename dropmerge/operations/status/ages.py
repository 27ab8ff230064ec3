"""How long ago, in words."""

from __future__ import annotations

from datetime import datetime, timedelta


def duration(seconds: float) -> str:
    """In the largest unit of which it has one: 64 s, 12 min, 2 h, 3 d."""
    for unit, length, least in (("d", 86400, 2 * 86400), ("h", 3600, 2 * 3600), ("min", 60, 120)):
        if seconds >= least:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def age(at: datetime, now: datetime) -> str:
    """How long ago that was."""
    return duration((now - at) / timedelta(seconds=1))
