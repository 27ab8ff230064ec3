"""The dead letters that wait, as they bear on where a load is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from services.shared.messages.dead_letter import DeadLetter

Key = tuple[str, str, int]
"""Bucket, object, generation."""


def latest_dead_letters(connection: Connection, wanted: Collection[Key]) -> dict[Key, DeadLetter]:
    """The youngest letter of each of these object generations that has one."""
    found: dict[Key, DeadLetter] = {}
    with DeadLetterSubscription(connection) as mailbox:
        for batch in mailbox.batches():
            for letter in batch:
                key = (letter.bucket or "", letter.object or "", letter.generation or 0)
                if key in wanted and (key not in found or found[key].at < letter.at):
                    found[key] = letter
    return found


def is_current(written: datetime, set_out: datetime | None) -> bool:
    """Whether a letter of that time is where the load stands; what has set out again since is on its way."""
    return set_out is None or written >= set_out
