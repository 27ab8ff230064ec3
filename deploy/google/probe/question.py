"""A question, and an answer to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.shared.errors import PermanentError, TransientError
from services.shared.google_errors import google_reason, translated

if TYPE_CHECKING:
    from deploy.google.probe.scratch import Scratch

NOT_HERE = "not here"
"""The verdict of the local cloud on what only Google has."""


@dataclass(frozen=True)
class Answer:
    verdict: str
    """One line: rows as JSON, or the word of an error."""
    said: str = ""
    """The text of an error."""


@dataclass(frozen=True)
class Question:
    name: str
    """Unique; letters, digits and `_`, for it also names tables and objects."""
    asks: str
    given: str
    """The file's bytes, the statement or the call."""
    why: str
    ask: Callable[[Scratch], Answer | None]
    """Raises what `outcome` reads."""
    finding: int = 0
    """Of the review that asked it; 0 for none."""
    expected: tuple[str, ...] = ()
    """Google's verdict, any of these; where there is none, it is what the local cloud says."""
    most_bytes: int = 0
    """Bytes of tables that its statements may be billed for."""
    operations: int = 0
    """Writes to a bucket, at most."""
    only_google: bool = False
    """Whether the local cloud cannot be asked."""


def outcome(call: Callable[[], Answer | None]) -> Answer:
    """What a call answers, or "done". Of one that fails, how the services classify the error, and Google's word."""
    try:
        with translated():
            return call() or Answer("done")
    except (PermanentError, TransientError) as error:
        return _refusal(error)


def _refusal(error: PermanentError | TransientError) -> Answer:
    cause = error.__cause__ or error
    word = error.reason if isinstance(error, PermanentError) else "transient"
    reason = google_reason(cause) or type(cause).__name__
    return Answer(f"{word} ({reason})", " ".join(str(cause).split())[:500])
