"""Notifications for objects that never got one, or whose load is not merged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
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
from dropmerge.operations.loads.events import MAX_CLOCK_SKEW, discarded_generations
from dropmerge.operations.loads.find_file import find_file, live
from dropmerge.operations.loads.status import load_of, merged_among
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.announcement import announcement

_AT_ONCE = 10_000
"""Copies in the archive about which journal and ledger are asked in one question."""
_TELL_EVERY = 1_000


def _say_nothing(_: str) -> None:
    """Where nobody waits."""


@dataclass(frozen=True)
class Candidate:
    load: Load
    resource: Mapping[str, Any]
    """What Cloud Storage says of the object beside its name: keys as in its JSON API."""
    is_archived: bool = False
    """Whether only the archive bucket has it."""


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
    tell: Callable[[str], None] = _say_nothing
    """Takes how far a long listing is."""
    _live_names: set[str] = field(default_factory=set)
    _read: int = 0

    def batches(self, most: int) -> Iterator[list[Candidate]]:
        """Of the archive bucket pinned copies. Of any other live objects that a feed wants, then, oldest first, those
        that were there and are only in the archive now. As many at a time as `most`."""
        if self.prefix.bucket == self.connection.archive:
            yield from self._left(self._pinned(self.prefix.name), most)
            return
        yield from self._left(self._live(), most)
        if not self.is_one:
            # Each generation once, though it may have two copies.
            found = {one.load.load_id: one for some in self._left(self._gone(), _AT_ONCE) for one in some}
            oldest_first = iter(sorted(found.values(), key=lambda one: one.load.source.generation))
            while some := list(islice(oldest_first, most)):
                yield some

    def _left(self, wanted: Iterator[Candidate], most: int) -> Iterator[list[Candidate]]:
        while some := list(islice(wanted, most)):
            merged = merged_among(self.connection, [one.load.load_id for one in some])
            discarded = self._discarded([one.load.source for one in some])
            why = [self._why_left_out(one.load, merged, discarded) for one in some]
            self.left_out.update(one for one in why if one)
            if left := [one for one, reason in zip(some, why, strict=True) if reason is None]:
                yield left

    def _why_left_out(
        self, load: Load, merged: Container[str], discarded: Container[ObjectGeneration]
    ) -> LeftOut | None:
        if load.feed in self.moved:
            return LeftOut.MOVED
        if load.load_id in merged:
            return LeftOut.MERGED
        if not self.with_dead_letters and load.source in self._waiting:
            return LeftOut.DEAD_LETTERED
        if load.source in discarded:
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

    def _discarded(self, sources: Sequence[ObjectGeneration]) -> frozenset[ObjectGeneration]:
        if self.with_discarded:
            return frozenset()
        since = min(source.created for source in sources) - MAX_CLOCK_SKEW
        return discarded_generations(self.connection, since, sources)

    def _list(self, bucket: str, prefix: str) -> Iterator[Any]:
        for blob in self.connection.storage.list_blobs(bucket, prefix=prefix):
            self._read += 1
            if self._read % _TELL_EVERY == 0:
                self.tell(f"{self._read:,} objects looked at")
            yield blob

    def _live(self) -> Iterator[Candidate]:
        for blob in self._list(self.prefix.bucket, self.prefix.name):
            if self.is_one and blob.name != self.prefix.name:
                continue
            self._live_names.add(blob.name)
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

    def _gone(self) -> Iterator[Candidate]:
        """Pinned copies of objects below the prefix that are no longer in their bucket, by the feeds that may have
        wanted them."""
        for feed in self.connection.feeds.values():
            begin = re.split(r"[*?\[]", feed.objects, maxsplit=1)[0]
            if not (begin.startswith(self.prefix.name) or self.prefix.name.startswith(begin)):
                continue
            for blob in self._list(self.connection.archive, f"{feed.name}/"):
                copy = _copy(blob)
                if copy and self._is_below(copy.load.source) and copy.load.source.name not in self._live_names:
                    yield copy

    def _is_below(self, source: ObjectGeneration) -> bool:
        return source.bucket == self.prefix.bucket and source.name.startswith(self.prefix.name)

    def _pinned(self, prefix: str) -> Iterator[Candidate]:
        """An archived object is called by its load id, and its metadata identifies the load."""
        for blob in self._list(self.connection.archive, prefix):
            if copy := _copy(blob):
                yield copy
            else:
                self.left_out[LeftOut.NAMELESS] += 1
                self.nameless.append(f"gs://{self.connection.archive}/{blob.name}")


def _copy(blob: Any) -> Candidate | None:
    load = Load.from_archive(blob.name, blob.metadata)
    if load is None:
        return None
    resource = {"timeCreated": load.source.created.isoformat(), "size": str(blob.size)}
    return Candidate(load, resource, is_archived=True)


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
