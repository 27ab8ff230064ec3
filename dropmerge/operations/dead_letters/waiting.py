"""Where to read the dead letters that wait: in their table, which takes no lease, or in the subscription.

The subscription is the truth for what waits. The table may lag, may lack letters of an earlier release, and still has
those that a command recorded and was killed before it acknowledged them: it is read only if as many wait by it as the
subscription says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice

from deploy.topology import SERVICES
from dropmerge.operations.backlog import waiting_dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.kept import KeptLetter, waiting_letters
from dropmerge.operations.dead_letters.subscription import MAX_PULL, DeadLetterSubscription, Source
from dropmerge.operations.errors import NotDone
from dropmerge.operations.no_answer import NoAnswer
from services.shared.errors import PermanentError, TransientError
from services.shared.messages.dead_letter import DeadLetter

UNREADABLE = (NoAnswer, NotDone, PermanentError, TransientError)
"""What reading the table raises where the warehouse does not answer, or not this account."""


class _Table:
    def __init__(self, letters: Iterator[KeptLetter], services: Sequence[str]) -> None:
        self._wanted = (one.letter for one in letters if one.letter.service in services)

    def batches(self, most: int = MAX_PULL) -> Iterator[list[DeadLetter]]:
        while some := list(islice(self._wanted, most)):
            yield some


@contextmanager
def waiting(connection: Connection, services: Sequence[str] = SERVICES, ids: Collection[str] = ()) -> Iterator[Source]:
    """All that wait; of the table only those with these ids, if any are given.

    Raises as `Warehouse`, and NoAnswer, where the table cannot be read and nothing else may be.
    """
    if not connection.may_lease:
        yield _Table(waiting_letters(connection, ids), services)
        return
    letters = _table(connection, ids)
    if letters is not None:
        yield _Table(letters, services)
        return
    with DeadLetterSubscription(connection, services) as subscription:
        yield subscription


def is_complete(connection: Connection, waiting: int) -> bool:
    """Whether as many wait in the subscriptions as by the table. On Google Cloud their number is some minutes old."""
    from google.api_core.exceptions import Forbidden

    try:
        return waiting_dead_letters(connection) == waiting
    except Forbidden:
        return False


def _table(connection: Connection, ids: Collection[str]) -> Iterator[KeptLetter] | None:
    """None where the subscription has to be read."""
    letters = waiting_letters(connection, ids)
    try:
        first = next(letters, None)
    except UNREADABLE:
        return None
    if first is None:
        return letters if not ids and is_complete(connection, 0) else None
    return chain([first], letters) if is_complete(connection, first.waiting) else None
