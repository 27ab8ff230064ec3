"""The archive's copies of a feed's files: what a table can be made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dropmerge.operations.connection import Connection
from services.shared.load import Load


@dataclass(frozen=True)
class Pinned:
    load: Load
    name: str
    """In the archive bucket."""
    size: int

    @property
    def load_id(self) -> str:
        return self.load.load_id


@dataclass(frozen=True)
class Window:
    """Which files, by when they were created in the bucket that they were dropped in."""

    since: datetime | None = None
    until: datetime | None = None
    """The last moment that counts."""

    def __bool__(self) -> bool:
        return bool(self.since or self.until)

    def __contains__(self, one: Pinned) -> bool:
        created = one.load.source.created
        return (self.since is None or created >= self.since) and (self.until is None or created <= self.until)


def pinned(connection: Connection, feed: str, load_id: str = "") -> Iterator[Pinned]:
    """The feed's archived files, or those of one load; what ingest did not put there is left out.

    A load may have two copies of the same bytes: its contract had another format, or an earlier release named no gzip.
    """
    found = {}
    for blob in connection.storage.list_blobs(connection.archive, prefix=f"{feed}/{load_id}"):
        load = Load.from_archive(blob.name, blob.metadata)
        if load:
            found[load.load_id] = Pinned(load, blob.name, int(blob.size or 0))
    yield from found.values()
