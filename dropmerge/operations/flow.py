"""What went through, interval by interval: MERGEs and their files, and dead letters by reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dropmerge.operations.connection import Connection


@dataclass(frozen=True)
class Merges:
    """Of one feed in one interval."""

    feed: str
    at: datetime
    """When the interval began."""
    merges: int
    files: int


@dataclass(frozen=True)
class LettersOfReason:
    """Dead letters of one reason that were written in one interval."""

    reason: str
    at: datetime
    letters: int


def read_merges(connection: Connection, since: datetime, step: timedelta, feed: str = "") -> list[Merges]:
    """By feed and time, of intervals in which there was any; of all feeds where none is named."""
    rows = connection.query("merges_by_time.sql", {**_of_time(since, step), "feed": ("STRING", feed)})
    return [Merges(row["feed"], row["began_at"], row["merges"], row["files"] or 0) for row in rows]


def read_letters_by_reason(connection: Connection, since: datetime, step: timedelta) -> list[LettersOfReason]:
    """By reason and time, those that have ended since too."""
    rows = connection.query("letters_by_time.sql", _of_time(since, step))
    return [LettersOfReason(row["reason"], row["began_at"], row["letters"]) for row in rows]


def _of_time(since: datetime, step: timedelta) -> dict[str, tuple[str, object]]:
    return {"since": ("TIMESTAMP", since), "step": ("INT64", step // timedelta(microseconds=1))}
