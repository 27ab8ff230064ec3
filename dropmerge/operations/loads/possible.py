"""Which loads an object generation may have become: the contracts may have changed since."""

from __future__ import annotations

from dropmerge.operations.connection import Connection
from services.shared.generation import ObjectGeneration
from services.shared.load import Load


def possible_loads(connection: Connection, source: ObjectGeneration, journal_feed: str | None) -> list[Load]:
    """Of the last feed that the journal names, which may be gone, have another name or pattern by now; then of the
    feed that wants the object today. The first is the one on its way, unless the ledger holds another."""
    wanting = connection.feed_of(source.name)
    names = [journal_feed, wanting.name if wanting else None]
    return [Load(name, source) for name in dict.fromkeys(names) if name]
