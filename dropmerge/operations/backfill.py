"""Notifications for objects that never got one, or whose load is not merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import waiting_generations
from dropmerge.operations.errors import UsageError
from dropmerge.operations.gcs_uri import GcsUri
from dropmerge.operations.loads.events import discarded_generations
from dropmerge.operations.loads.find_file import find_file, live
from dropmerge.operations.loads.status import load_of, merged_among
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.announcement import announcement


@dataclass(frozen=True)
class Candidate:
    load: Load
    resource: Mapping[str, Any]
    """What Cloud Storage says of the object beside its name: keys as in its JSON API."""


class LeftOut(StrEnum):
    """Why an object below the prefix is not announced."""

    UNWANTED = "unwanted"
    NAMELESS = "nameless"
    MERGED = "merged"
    MOVED = "moved"
    """Its feed was merged into another main table than its contract names."""
    DEAD_LETTERED = "dead_lettered"
    DISCARDED = "discarded"


@dataclass
class Candidates:
    """The loads below a prefix that are neither merged nor discarded."""

    connection: Connection
    prefix: GcsUri
    with_dead_letters: bool = False
    """Those too that wait as a dead letter."""
    with_discarded: bool = False
    """Those too whose dead letter was discarded."""
    is_one: bool = False
    """Whether the prefix is the whole name of one object."""
    nameless: list[str] = field(default_factory=list)
    """Objects of the archive bucket whose metadata does not say what they are copies of, as far as it is read."""
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    """Of the objects that were read so far."""

    def batches(self, most: int) -> Iterator[list[Candidate]]:
        """Of the landing bucket live objects that a feed wants, of the archive bucket pinned copies; as many at a time
        as `most`."""
        is_archive = self.prefix.bucket == self.connection.archive
        wanted = self._pinned() if is_archive else self._live()
        while some := list(islice(wanted, most)):
            merged = merged_among(self.connection, [one.load.load_id for one in some])
            why = [self._why_left_out(one.load, merged) for one in some]
            self.left_out.update(one for one in why if one)
            if left := [one for one, reason in zip(some, why, strict=True) if reason is None]:
                yield left

    def _why_left_out(self, load: Load, merged: Container[str]) -> LeftOut | None:
        if load.feed in self.moved:
            return LeftOut.MOVED
        if load.load_id in merged:
            return LeftOut.MERGED
        if not self.with_dead_letters and load.source in self._waiting:
            return LeftOut.DEAD_LETTERED
        if not self.with_discarded and load.source in self._discarded:
            return LeftOut.DISCARDED
        return None

    @cached_property
    def moved(self) -> Mapping[str, str]:
        """Feeds that have been merged into another main table than their contract names, and into which."""
        rows = self.connection.ledger("other_tables.sql")
        return {row["feed"]: row["main_table"] for row in rows if row["feed"] in self.connection.feeds}

    @cached_property
    def _waiting(self) -> frozenset[ObjectGeneration]:
        return waiting_generations(self.connection)

    @cached_property
    def _discarded(self) -> frozenset[ObjectGeneration]:
        return discarded_generations(self.connection)

    def _live(self) -> Iterator[Candidate]:
        for blob in self.connection.storage.list_blobs(self.prefix.bucket, prefix=self.prefix.name):
            if self.is_one and blob.name != self.prefix.name:
                continue
            load = None if blob.name.endswith("/") else load_of(self.connection, blob)
            if load is None:
                self.left_out[LeftOut.UNWANTED] += 1
            else:
                more = {
                    "metageneration": str(blob.metageneration),
                    "contentType": blob.content_type,
                    "md5Hash": blob.md5_hash,
                    "crc32c": blob.crc32c,
                }
                yield Candidate(load, {"timeCreated": blob.time_created.isoformat(), "size": str(blob.size), **more})

    def _pinned(self) -> Iterator[Candidate]:
        """An archived object is called by its load id, and its metadata identifies the load."""
        for blob in self.connection.storage.list_blobs(self.prefix.bucket, prefix=self.prefix.name):
            load = Load.from_archive(blob.name, blob.metadata)
            if load is None:
                self.left_out[LeftOut.NAMELESS] += 1
                self.nameless.append(f"gs://{self.prefix.bucket}/{blob.name}")
            else:
                created = load.source.created.isoformat()
                yield Candidate(load, {"timeCreated": created, "size": str(blob.size)})


def find_prefix(connection: Connection, where: str) -> tuple[GcsUri, bool]:
    """What gs://bucket/prefix says; for any other name of a file, where its generation is, and whether that is the
    whole name of an object. Raises UsageError."""
    if where.startswith("gs://"):
        try:
            return GcsUri.parse(where), False
        except ValueError as error:
            raise UsageError(str(error)) from None
    source = find_file(connection, where)
    if live(connection, source.bucket, source.name) == source.generation:
        return GcsUri(source.bucket, source.name), True
    feed = connection.feed_of(source.name)
    if feed is None:
        raise UsageError(f"{source} is no longer in its bucket, and no feed matches its name")
    return GcsUri(connection.archive, f"{feed.name}/{Load(feed.name, source).load_id}"), False


def publish_notifications(connection: Connection, candidates: Sequence[Candidate]) -> None:
    """Publish, then record who did it."""
    from services.shared.journal import Event

    at = datetime.now(UTC)
    topic = connection.topology.source_topic("ingest")
    ids = connection.publisher.publish(
        topic, [announcement(one.load.source, "backfill", resource=one.resource) for one in candidates]
    )
    connection.journal.write(
        [
            (Event("announced", {"message_id": message_id}, at), one.load.fields)
            for one, message_id in zip(candidates, ids, strict=True)
        ]
    )
