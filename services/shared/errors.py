"""The two kinds of failure. They are imported by every command: nothing heavy belongs here."""

from __future__ import annotations

from services.shared.reasons import REASONS


class PermanentError(Exception):
    """Repeating cannot help: the message becomes a dead letter with this reason."""

    def __init__(self, reason: str, detail: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is not a listed reason")
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class NotFoundError(PermanentError):
    """Something that the call names is not there, such as a table."""


class TransientError(Exception):
    """Repeating may help: the message is not acknowledged, and Pub/Sub delivers it again."""
