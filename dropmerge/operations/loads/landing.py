"""The young objects of the landing bucket: what has arrived, and may have no event in the journal yet.

Cloud Storage lists by name, and not by time (https://cloud.google.com/storage/docs/json_api/v1/objects/list): to list
all that a busy bucket holds takes hundreds of requests. So a listing ends after some thousand names. Where the bucket
has more, the folders are listed in which files arrived in the last hours, each from the first of the last names that
arrived there: where names begin with a date or number, as most do, what is new comes after these.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dropmerge.operations.connection import Connection
from services.shared.generation import ObjectGeneration

YOUNG = timedelta(days=1)
"""A file of which there is no event is looked for among objects that were created within this time. What is older is
for `dropmerge backfill`, which lists all."""
MOST_NAMES = 5_000
"""How many names are listed at most, five requests on Google Cloud."""
_LATELY = timedelta(hours=2)
_LAST_NAMES = 200
_MOST_FOLDERS = 10
_FOLDERS_SECONDS = 30.0
_FIELDS = "items(name,generation),nextPageToken"


@dataclass(frozen=True)
class Listing:
    young: list[ObjectGeneration]
    live: frozenset[ObjectGeneration] | None
    """Every object under the landing prefix; None where not all were looked at."""

    @property
    def is_whole(self) -> bool:
        return self.live is not None


@dataclass
class Landing:
    """For one command, which may ask many times."""

    connection: Connection
    _folders: list[Any] = field(default_factory=list)
    _asked_at: float = float("-inf")

    def list_young(self) -> Listing:
        """Raises as Cloud Storage's client, and NoAnswer."""
        folders = self._busy_folders()
        if sum(one["files"] for one in folders) <= MOST_NAMES:
            found = list(list_names(self.connection, self.connection.landing_prefix))
            if len(found) < MOST_NAMES:
                return Listing(_young(found), frozenset(found))
        found = []
        lately = [one for one in folders if one["used_at"] >= datetime.now(UTC) - _LATELY]
        for one in lately[:_MOST_FOLDERS]:
            if left := MOST_NAMES - len(found):
                found += list_names(self.connection, one["folder"], one["first_name"], left)
        return Listing(_young(found), None)

    def _busy_folders(self) -> list[Any]:
        if time.monotonic() > self._asked_at + _FOLDERS_SECONDS:
            parameters = {
                "bucket": ("STRING", self.connection.landing),
                "prefix": ("STRING", self.connection.landing_prefix),
                "since": ("TIMESTAMP", datetime.now(UTC) - YOUNG),
                "most": ("INT64", _LAST_NAMES),
            }
            self._folders = self.connection.query("busy_folders.sql", parameters)
            self._asked_at = time.monotonic()
        return self._folders


def in_part(connection: Connection) -> str:
    """What a listing that is not whole means, in words."""
    return (
        f"gs://{connection.landing}/{connection.landing_prefix} has more than {MOST_NAMES:,} files. Only those in "
        "folders where files arrived lately were looked at; any other is known once its notification has arrived. "
        "`dropmerge backfill --dry-run` looks at all"
    )


def list_names(
    connection: Connection, prefix: str, first: str | None = None, most: int | None = None
) -> Iterator[ObjectGeneration]:
    """The live objects of the landing bucket under a prefix, `MOST_NAMES` at most; or, from the name `first` on, those
    of this folder alone, and not of the folders in it."""
    blobs = connection.storage.list_blobs(
        connection.landing,
        prefix=prefix,
        start_offset=first,
        delimiter="/" if first else None,
        max_results=most or MOST_NAMES,
        fields=_FIELDS,
    )
    for blob in blobs:
        yield ObjectGeneration(connection.landing, blob.name, int(blob.generation))


def _young(found: list[ObjectGeneration]) -> list[ObjectGeneration]:
    since = datetime.now(UTC) - YOUNG
    return sorted({one for one in found if one.created >= since}, key=lambda one: (one.generation, one.name))
