"""The story of one file: from a notification to a staging table and the message that tells of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from google.api_core import exceptions as google
from google.cloud import storage  # type: ignore[attr-defined]  # has no types

from services.ingest.check_rows import Tables, check_rows, drop_steps, stage_rows
from services.ingest.inspect_head import HEAD_BYTES, inspect_head
from services.ingest.load_raw import load_raw
from services.ingest.notification import Notification, read_notification
from services.ingest.pin import pin
from services.shared.contract.feed import Feed
from services.shared.contract.pattern import feed_for
from services.shared.delivery import Work
from services.shared.errors import Permanent, Transient
from services.shared.journal import Journal
from services.shared.load import Load
from services.shared.messages.push import Envelope
from services.shared.messages.staged import Staged
from services.shared.publisher import Bus
from services.shared.settings import Settings
from services.shared.warehouse import Warehouse


@dataclass(frozen=True)
class Stager:
    settings: Settings
    feeds: Mapping[str, Feed]
    bucket: storage.Client
    warehouse: Warehouse
    bus: Bus
    journal: Journal

    def __call__(self, work: Work) -> str:
        """Outcome: staged, superseded or ignored. Safe to repeat at any step, any number of times."""
        notification = read_notification(work.envelope)
        work.about.update(bucket=notification.bucket, object=notification.object, generation=notification.generation)
        work.facts.update(
            event_type=notification.event_type, event_time=notification.event_time, size=notification.size
        )
        feed = self._feed(notification)
        if feed is None:
            return "ignored"
        load = Load(feed.feed, notification.bucket, notification.object, notification.generation)
        work.about.update(feed=feed.feed, load_id=load.load_id)
        self.journal.record("arrived", work.about, attempt=work.envelope.attempt)
        if self.warehouse.exists(self._tables(load).staging):
            drop_steps(self.warehouse, self._tables(load))  # an earlier delivery may have died just before
        elif not self._stage(work, feed, load):
            work.happened("superseded")
            return "superseded"
        with _timed(work, "publish"):
            self.bus.publish(
                self.settings.staged_topic,
                Staged(load).encode(),
                {"feed": feed.feed, "load_id": load.load_id, "traceparent": work.traceparent},
            )
        work.happened("staged", **work.facts)
        return "staged"

    def _feed(self, notification: Notification) -> Feed | None:
        if notification.event_type != "OBJECT_FINALIZE" or notification.object.endswith("/"):
            return None
        feed = feed_for(self.feeds, notification.object)
        if feed is None and notification.object.startswith(self.settings.landing_prefix):
            patterns = ", ".join(f"{f.feed}: {f.objects}" for f in self.feeds.values())
            raise Permanent("no_feed", f"no feed's pattern matches {notification.object!r} ({patterns})")
        return feed

    def _stage(self, work: Work, feed: Feed, load: Load) -> bool:
        """False when the generation is gone."""
        with _timed(work, "pin"):
            blob = pin(self.bucket, load, self.settings.archive_bucket)
        if blob is None:
            return False
        work.happened("pinned")
        size = int(blob.size or 0)
        work.facts["size"] = size
        with _unless_another_finished(load):
            self._load_and_check(work, feed, load, blob, size)
        return True

    def _load_and_check(self, work: Work, feed: Feed, load: Load, blob: storage.Blob, size: int) -> None:
        tables = self._tables(load)
        with _timed(work, "head"):
            first = _stored(blob, min(HEAD_BYTES, size)) if size else b""
            head = inspect_head(first, size, feed)
        with _timed(work, "load"):
            uri = f"gs://{self.settings.archive_bucket}/{blob.name}"
            load_raw(self.warehouse, uri, tables.raw, load.load_id, head, feed)
        work.happened("loaded")
        with _timed(work, "check"):
            try:
                counts = check_rows(self.warehouse, feed, load, tables, head, _created(load), _again(work.envelope))
            except Permanent:
                drop_steps(self.warehouse, tables)
                raise
        work.facts.update(rows=counts.rows, rejected_rows=counts.rejected)
        work.happened("checked", rows=counts.rows, rejected_rows=counts.rejected, deletes=counts.deletes)
        with _timed(work, "stage"):
            stage_rows(self.warehouse, load, tables)

    def _tables(self, load: Load) -> Tables:
        project, staging = self.settings.project, self.settings.staging_dataset
        return Tables(
            raw=f"{project}.{staging}.{load.raw_table}",
            checked=f"{project}.{staging}.{load.checked_table}",
            staging=f"{project}.{staging}.{load.staging_table}",
            rejected=f"{project}.{self.settings.ops_dataset}.rejected_rows",
        )


def _again(envelope: Envelope) -> str | None:
    return envelope.message_id if {"replay_of", "announced_by"} & envelope.attributes.keys() else None


def _stored(blob: storage.Blob, count: int) -> bytes:
    # Raw: an object marked Content-Encoding: gzip would otherwise come unpacked, and might be a bomb.
    return bytes(blob.download_as_bytes(start=0, end=count - 1, raw_download=True, timeout=60))


def _created(load: Load) -> datetime:
    # A generation is the creation time in microseconds since 1970: every delivery reads the same one.
    return datetime.fromtimestamp(load.generation / 1e6, UTC)


@contextmanager
def _unless_another_finished(load: Load) -> Iterator[None]:
    # Deliveries of one load may overlap: the first to finish drops what the others were about to read.
    try:
        yield
    except google.NotFound as error:
        own = (load.raw_table, load.checked_table, f"{load.load_id}.csv")
        if any(name in str(error) for name in own):
            raise Transient(f"another delivery was here: {error}") from error
        raise


@contextmanager
def _timed(work: Work, step: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        work.timings[step] = time.monotonic() - started
