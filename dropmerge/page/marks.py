"""The shape and the colour of each state, beside its word: nobody has to see colours."""

from __future__ import annotations

from dataclasses import dataclass

_OK, _BUSY, _BAD, _WARN, _QUIET = "ok", "busy", "bad", "warn", "quiet"
_MARKS: dict[str, tuple[str, str]] = {
    # feeds and services
    "STUCK": ("■", _BAD),
    "LATE": ("◆", _BAD),
    "DEAD": ("▲", _BAD),
    "DOWN": ("■", _BAD),
    "FAILING": ("◆", _WARN),
    "WAITING": ("◐", _WARN),
    "BUSY": ("◐", _BUSY),
    "OK": ("●", _OK),
    "IDLE": ("○", _QUIET),
    # files
    "arrived": ("◔", _BUSY),
    "pinned": ("◔", _BUSY),
    "loaded": ("◑", _BUSY),
    "staged": ("◕", _BUSY),
    "merged": ("●", _OK),
    "dead_lettered": ("▲", _BAD),
    "superseded": ("○", _QUIET),
    "ignored": ("○", _QUIET),
    "unknown": ("◇", _WARN),
    # dead letters
    "waiting": ("▲", _BAD),
    "replayed": ("●", _OK),
    "discarded": ("○", _QUIET),
    "expired": ("◇", _WARN),
    "came_back": ("▲", _BAD),
    # what the doctor found
    "WRONG": ("■", _BAD),
    "UNKNOWN": ("◇", _QUIET),
    # operations
    "starting": ("◔", _BUSY),
    "running": ("◐", _BUSY),
    "done": ("●", _OK),
    "done_in_part": ("◆", _WARN),
    "not_merged": ("▲", _BAD),
    "stopped": ("◆", _WARN),
    "failed": ("■", _BAD),
    "silent": ("◇", _WARN),
}


@dataclass(frozen=True)
class Mark:
    word: str
    shape: str
    colour: str
    """ok, busy, warn, bad or quiet: a class of the style sheet."""


def mark(state: str) -> Mark:
    """Of a state's word, whichever thing's state it is."""
    shape, colour = _MARKS.get(state, ("◇", _QUIET))
    return Mark(state.replace("_", " "), shape, colour)
