"""The waiting dead letters, as they bear on the state of a load."""

from __future__ import annotations

from collections.abc import Callable

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.waiting import waiting
from services.shared.generation import ObjectGeneration
from services.shared.messages.dead_letter import DeadLetter


def latest_dead_letters(
    connection: Connection, is_wanted: Callable[[DeadLetter], bool]
) -> dict[ObjectGeneration, DeadLetter]:
    """The youngest dead letter of each object generation, of those that are wanted."""
    found: dict[ObjectGeneration, DeadLetter] = {}
    with waiting(connection) as source:
        for batch in source.batches():
            for one in batch:
                about = generation_of(one)
                if is_wanted(one) and (about not in found or found[about].at < one.at):
                    found[about] = one
    return found


def waiting_generations(connection: Connection) -> frozenset[ObjectGeneration]:
    """The object generations that have a dead letter."""
    with waiting(connection) as source:
        return frozenset(generation_of(one) for batch in source.batches() for one in batch)


def generation_of(dead_letter: DeadLetter) -> ObjectGeneration:
    """What a dead letter is about; generation 0 where it does not say."""
    return ObjectGeneration(dead_letter.bucket or "", dead_letter.object or "", dead_letter.generation or 0)
