"""Dead letters whose object has since been merged in a newer generation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import generation_of
from services.shared.messages.dead_letter import DeadLetter

_AT_ONCE = 500

Judged = tuple[DeadLetter, int | None]
"""A dead letter, and the newest merged generation of its object where that is newer than its own."""


def with_newer(connection: Connection, dead_letters: Iterable[DeadLetter]) -> Iterator[Judged]:
    """Each with what has taken its place. Asks once for many, and holds no more than that."""
    left = iter(dead_letters)
    while some := list(islice(left, _AT_ONCE)):
        yield from _judged(connection, some)


def _judged(connection: Connection, some: Sequence[DeadLetter]) -> Iterator[Judged]:
    uris = sorted({generation_of(one).uri for one in some if one.object})
    rows = connection.ledger("newest_merged.sql", {"objects": ("STRING", "\n".join(uris))}) if uris else []
    newest = {f"gs://{row['bucket']}/{row['object']}": row["generation"] for row in rows}
    for one in some:
        source = generation_of(one)
        found = newest.get(source.uri, 0)
        yield one, found if found > source.generation else None
