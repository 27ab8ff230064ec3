"""Dead letters whose object has since been merged in a newer generation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain, islice

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import generation_of
from dropmerge.operations.no_answer import NoAnswer
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.dead_letter import DeadLetter

_AT_ONCE = 500
_CLOCKS_DIFFER = timedelta(days=1)

Judged = tuple[DeadLetter, int | None]
"""A dead letter, and the newest merged generation of its object where that is newer than its own."""


def with_newer(connection: Connection, dead_letters: Iterable[DeadLetter]) -> Iterator[Judged]:
    """Each with what has taken its place. Asks once for many, and holds no more than that."""
    left = iter(dead_letters)
    while some := list(islice(left, _AT_ONCE)):
        try:
            judged = _judged(connection, some)
        except NoAnswer as error:
            connection.say(f"whether newer files are merged is not known: {error.headline}")
            break
        yield from judged
    yield from ((one, None) for one in chain(some, left))


def is_merged(connection: Connection, one: DeadLetter) -> bool:
    """Whether the load of this very dead letter is in the main table of now. Raises as `Warehouse`, and NoAnswer."""
    if not (one.feed and one.object):
        return False
    load_id = one.load_id or Load(one.feed, generation_of(one)).load_id
    rows = connection.ledger("merged_among.sql", {"load_ids": ("STRING", load_id)})
    return any(row["is_current"] for row in rows)


def _judged(connection: Connection, some: Sequence[DeadLetter]) -> list[Judged]:
    uris = sorted({generation_of(one).uri for one in some if one.object})
    # What is newer has its events later than that, whichever machine's clock they have.
    since = min(generation_of(one).created for one in some) - _CLOCKS_DIFFER
    parameters = {"objects": ("STRING", "\n".join(uris)), "since": ("TIMESTAMP", since)}
    rows = connection.ledger("newest_merged.sql", parameters) if uris else []
    newest = {f"gs://{row['bucket']}/{row['object']}": row["generation"] for row in rows}
    return [(one, _newer(generation_of(one), newest)) for one in some]


def _newer(source: ObjectGeneration, newest: Mapping[str, int]) -> int | None:
    found = newest.get(source.uri, 0)
    return found if found > source.generation else None
