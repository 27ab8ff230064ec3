"""How a feed or a service stands, in one word each."""

from __future__ import annotations

from enum import StrEnum


class _Word(StrEnum):
    """Each with a colour for the terminal and a sentence for people."""

    colour: str
    sentence: str

    def __new__(cls, value: str, colour: str, sentence: str) -> _Word:
        """Its value is the word that is shown, and that `--json` has."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.colour = colour
        member.sentence = sentence
        return member


class FeedState(_Word):
    """The first that holds, in this order."""

    STUCK = "STUCK", "red", "Files are waiting for a service that does not answer, or that fails each time."
    LATE = "LATE", "red", "A file has been on its way for too long (--max-age)."
    DEAD = "DEAD", "red", "Dead letters are waiting: replay or discard them."
    FAILING = "FAILING", "yellow", "A delivery failed for now; Pub/Sub tries it again."
    BUSY = "BUSY", "cyan", "Files are on their way."
    OK = "OK", "green", "Its files were merged; the last came within a day."
    IDLE = "IDLE", "", "No file has come for a day."


class ServiceState(_Word):
    """The first that holds, in this order."""

    DOWN = "DOWN", "red", "It does not answer."
    FAILING = "FAILING", "red", "It refuses or fails each push."
    WAITING = "WAITING", "yellow", "It answers; messages that failed are waiting for their next try."
    OK = "OK", "green", "It takes its messages, or has none."

    @property
    def needs_somebody(self) -> bool:
        return self in (ServiceState.DOWN, ServiceState.FAILING)
