"""The dead letters that wait, read and left where they are."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.errors import UsageError
from services.shared.messages.dead_letter import DeadLetter


def read_dead_letters(connection: Connection, wanted: Filter, summary: Summary) -> Generator[DeadLetter, None, None]:
    """Each once, in no order, counted in the summary as it passes. They are leased until the last has been taken."""
    with DeadLetterSubscription(connection, wanted.services) as subscription:
        for batch in wanted.batches(subscription, summary):
            for one in batch:
                summary.add([one])
                yield one


def read_dead_letter(connection: Connection, dead_letter_id: str) -> DeadLetter:
    """The one with this id. Raises UsageError."""
    wanted = Filter(ids=frozenset([dead_letter_id]))
    with closing(read_dead_letters(connection, wanted, Summary())) as found:
        one = next(found, None)
    if one is None:
        raise UsageError(_not_there(wanted))
    return one


def check_names(connection: Connection, wanted: Filter) -> None:
    """Nothing fits: perhaps because what was named is not there. Raises UsageError."""
    if wanted.ids:
        raise UsageError(_not_there(wanted))
    if wanted.feed is not None:
        connection.feed(wanted.feed)


def _not_there(wanted: Filter) -> str:
    ids = ", ".join(sorted(wanted.ids))
    return f"no dead letter {ids} waits: `dropmerge dead-letters list` shows those that do"
