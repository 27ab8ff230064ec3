"""The two kinds of failure."""

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


class TransientError(Exception):
    """Repeating may help: the message is not acknowledged, and Pub/Sub delivers it again."""
