"""The story of one file: from a notification to a staging table and the message that reports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from google.cloud.storage import Blob, Client

from services.ingest.check_rows import Counts, TooManyBadRows, check_rows, drop_intermediate_tables, stage_rows
from services.ingest.inspect_file import inspect_file, read_part
from services.ingest.load_raw import load_raw
from services.ingest.match_header import Layout
from services.ingest.notification import Notification, read_notification
from services.ingest.pin import Pinned, pin
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.glob import first_match
from services.shared.contract.pattern import feed_for, patterns_like
from services.shared.delivery import Delivery
from services.shared.errors import NotFoundError, PermanentError, TransientError
from services.shared.journal import Event, Journal
from services.shared.load import Load
from services.shared.messages.push import PushMessage
from services.shared.messages.read_anew import Request, wanted_feed
from services.shared.messages.staged import MERGE_NOW, StagedMessage
from services.shared.publisher import Publisher
from services.shared.settings import Settings
from services.shared.warehouse import Warehouse


@dataclass(frozen=True)
class Stager:
    settings: Settings
    feeds: Mapping[str, Feed]
    storage: Client
    warehouse: Warehouse
    publisher: Publisher
    journal: Journal

    def __call__(self, delivery: Delivery) -> str:
        """Outcome: staged, superseded or ignored. Safe to repeat at any step, any number of times."""
        notification = read_notification(delivery.message)
        delivery.subject.update(notification.source.fields)
        delivery.log_fields.update(
            event_type=notification.event_type, event_time=notification.event_time, size=notification.size
        )
        feed = self._announced_feed(delivery.message) or self._feed(delivery, notification)
        if feed is None:
            return "ignored"
        load = Load(feed.name, notification.source)
        delivery.subject.update(load.fields)
        delivery.contract = feed.fingerprint
        request = Request.of(delivery.message.attributes)
        if request and request.staged_under == feed.fingerprint and request.must_wait(delivery.message.attempt):
            raise TransientError(f"merge runs another contract of {feed.name} than this service, {feed.fingerprint}")
        self._record_arrival(delivery)
        tables = Tables.of(self.settings.project, feed, load)
        if not self._was_staged(tables) and not self._stage(delivery, feed, load, tables):
            delivery.record_event("superseded")
            return "superseded"
        self._publish(delivery, feed, load, request)
        delivery.record_event("staged", **delivery.log_fields)
        return "staged"

    def _record_arrival(self, delivery: Delivery) -> None:
        """At once, so that a file on its way is seen; with the other events where the journal does not answer now."""
        message = delivery.message
        arrived = Event("arrived", {"attempt": message.attempt, "published_at": message.published_at})
        if not self.journal.write([(arrived, delivery.subject)]):
            delivery.events.append(arrived)

    def _announced_feed(self, message: PushMessage) -> Feed | None:
        """The feed that a load was staged for, whatever its pattern is now, where merge wants the file read anew."""
        return self.feeds.get(wanted_feed(message.attributes) or "")

    def _feed(self, delivery: Delivery, notification: Notification) -> Feed | None:
        """None where the object is to be ignored."""
        name = notification.source.name
        if notification.event_type != "OBJECT_FINALIZE" or name.endswith("/"):
            return None
        if glob := first_match(self.settings.ignore, name):
            delivery.record_event("ignored", pattern=glob)
            return None
        feed = feed_for(self.feeds, name)
        if feed is None and not name.startswith(self.settings.landing_prefix):
            delivery.record_event("ignored", outside=self.settings.landing_prefix)
        elif feed is None:
            raise PermanentError("no_feed", f"no feed's pattern matches {name!r} ({patterns_like(self.feeds, name)})")
        return feed

    def _was_staged(self, tables: Tables) -> bool:
        """By an earlier delivery, which may have died just before it dropped what led to the staging table."""
        is_staged = self.warehouse.table_exists(tables.staging)
        if is_staged:
            drop_intermediate_tables(self.warehouse, tables)
        return is_staged

    def _stage(self, delivery: Delivery, feed: Feed, load: Load, tables: Tables) -> bool:
        """False when the generation is gone."""
        with delivery.timed("pin"):
            pinned = pin(self.storage, load, feed.format, self.settings.archive_bucket)
        if pinned is None:
            return False
        blob = pinned.blob
        size = int(blob.size or 0)
        delivery.record_event("pinned", size=size, **_digest(blob))
        delivery.log_fields["size"] = size
        with _transient_if_another_delivery_finished(tables, blob.name):
            layout = self._load(delivery, feed, load, tables, pinned)
            counts = self._check(delivery, feed, load, tables, layout)
            with delivery.timed("stage"):
                stage_rows(self.warehouse, feed, load, tables, counts.rejected)
        return True

    def _load(self, delivery: Delivery, feed: Feed, load: Load, tables: Tables, pinned: Pinned) -> Layout:
        blob = pinned.blob
        with delivery.timed("head"):
            layout = inspect_file(int(blob.size or 0), feed, partial(read_part, blob, head=pinned.head))
        with delivery.timed("load"):
            uri = f"gs://{self.settings.archive_bucket}/{blob.name}"
            layout = load_raw(self.warehouse, uri, tables.raw, load.load_id, layout, feed)
        delivery.record_event("loaded")
        return layout

    def _check(self, delivery: Delivery, feed: Feed, load: Load, tables: Tables, layout: Layout) -> Counts:
        again = _reprocessing_id(delivery.message)
        with delivery.timed("check"):
            try:
                counts = check_rows(self.warehouse, feed, load, tables, layout, load.source.created, again)
            except TooManyBadRows as error:
                _record_checked(delivery, error.counts)
                drop_intermediate_tables(self.warehouse, tables)
                raise
        _record_checked(delivery, counts)
        return counts

    def _publish(self, delivery: Delivery, feed: Feed, load: Load, request: Request | None) -> None:
        more = {"asked": str(request.asked)} if request else {}
        if "replay_of" in delivery.message.attributes:
            more[MERGE_NOW] = "true"
        attributes = {"feed": load.feed, "load_id": load.load_id, "traceparent": delivery.traceparent, **more}
        with delivery.timed("publish"):
            message = StagedMessage(load, feed.fingerprint)
            self.publisher.publish(self.settings.staged_topic, [(message.encode(), attributes)])


def _record_checked(delivery: Delivery, counts: Counts) -> None:
    delivery.log_fields.update(rows=counts.rows, rejected_rows=counts.rejected)
    found = {
        "duplicate_keys": counts.duplicate_keys,
        "lost_in_file": counts.lost,
        "commonest_reason": counts.commonest_reason,
        "bytes_billed": counts.cost.bytes_billed,
        "slot_ms": counts.cost.slot_ms,
    }
    more = {name: one for name, one in found.items() if one}
    delivery.log_fields.update(more)
    delivery.record_event("checked", rows=counts.rows, rejected_rows=counts.rejected, deletes=counts.deletes, **more)


def _reprocessing_id(message: PushMessage) -> str | None:
    """The message's id if it was sent to have its file checked again."""
    return message.message_id if {"replay_of", "announced_by"} & message.attributes.keys() else None


def _digest(blob: Blob) -> dict[str, str]:
    """By which the same bytes sent again are recognised; a composite object has none
    (https://cloud.google.com/storage/docs/composite-objects)."""
    return {"md5": blob.md5_hash} if blob.md5_hash else {}


@contextmanager
def _transient_if_another_delivery_finished(tables: Tables, archived: str) -> Iterator[None]:
    # Deliveries of one load may overlap: the first to finish drops what the others were about to read.
    try:
        yield
    except NotFoundError as error:
        own = (*(table.rpartition(".")[2] for table in (tables.raw, tables.checked)), PurePosixPath(archived).name)
        if any(name in error.detail for name in own):
            raise TransientError(f"another delivery was here: {error.detail}") from error
        raise
