"""The dead letters that are waiting and bear on one feed."""

from __future__ import annotations

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import generation_of
from dropmerge.operations.dead_letters.waiting import waiting
from services.shared.generation import ObjectGeneration
from services.shared.messages.dead_letter import DeadLetter


def dead_letters_of(connection: Connection, feed: str) -> dict[ObjectGeneration, DeadLetter]:
    """The youngest of each object generation that has one: files of the feed, and those that no feed wants, one of
    which may have been meant for this one."""
    found: dict[ObjectGeneration, DeadLetter] = {}
    with waiting(connection) as letters:
        for batch in letters.batches():
            for one in batch:
                source = generation_of(one)
                is_wanted = one.feed in (feed, None) and one.object is not None
                if is_wanted and (source not in found or found[source].at < one.at):
                    found[source] = one
    return found
