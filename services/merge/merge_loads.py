"""The story of a merge: from one staged message to every waiting load of its feed in the main table."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import tenacity

from services.merge.ledger import Ledger
from services.merge.pruning import key_range
from services.shared.contract.feed import Feed
from services.shared.contract.order import column_names, ranking
from services.shared.datasets import STAGING
from services.shared.deadline import remaining
from services.shared.delivery import Delivery
from services.shared.errors import NotFoundError, PermanentError, TransientError
from services.shared.load import Load, staging_table
from services.shared.messages.staged import StagedMessage
from services.shared.settings import Settings
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)
MAX_LOADS = 100
"""Staging tables in one MERGE, which may reference 1,000 (https://cloud.google.com/bigquery/quotas#query_jobs)."""

_MAX_TEXT = 900_000
"""Characters of a MERGE. BigQuery takes 1 MB (https://cloud.google.com/bigquery/quotas#query_jobs)."""

_DROPS_AT_ONCE = 8
_REMEMBERED = 10_000
_NO_LOCK = "dropmerge: the lock has no row"


class RecentIds:
    """Load ids, the latest ten thousand."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, load_id: str) -> bool:
        with self._lock:
            return load_id in self._ids

    def add(self, load_id: str) -> None:
        with self._lock:
            self._ids[load_id] = None
            while len(self._ids) > _REMEMBERED:
                self._ids.popitem(last=False)


@dataclass(frozen=True)
class Merger:
    settings: Settings
    feeds: Mapping[str, Feed]
    warehouse: Warehouse
    ledger: Ledger
    _table_locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _applied: RecentIds = field(default_factory=RecentIds)
    """Seen applied: saves a query for each message that waited behind a group."""
    _merge_alone: RecentIds = field(default_factory=RecentIds)
    """Of a group that BigQuery refused: each is merged by its own message alone, lest it spoil every group."""

    def __call__(self, delivery: Delivery) -> str:
        """Outcome: merged, or already_merged. Safe to repeat at any step, any number of times."""
        load = StagedMessage.decode(delivery.message.data).load
        delivery.subject.update(load.fields)
        feed = self.feeds.get(load.feed)
        if feed is None:
            raise PermanentError("unknown_feed", f"no contract for feed {load.feed!r}")
        started = time.monotonic()
        # Waiting here, not at BigQuery, is what lets a group form; between processes the lock row decides.
        turn = self._table_locks[feed.table]
        # Half of the time is kept for the MERGE itself.
        if not turn.acquire(timeout=remaining(self.settings.budget_seconds / 2)):
            raise TransientError("another merge into the main table took too long")
        try:
            delivery.timings["wait"] = time.monotonic() - started
            return self._retrying(delivery, feed, load)
        finally:
            turn.release()

    def _retrying(self, delivery: Delivery, feed: Feed, load: Load) -> str:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, Exception) and not isinstance(error, PermanentError)
            ),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=20),
            stop=tenacity.stop_after_delay(self.settings.budget_seconds / 4),
            reraise=True,
        )
        return str(retrying(self._merge, delivery, feed, load))

    def _merge(self, delivery: Delivery, feed: Feed, load: Load) -> str:
        if load.load_id in self._applied and not self._is_staged(load):
            return "already_merged"
        self.ledger.ensure(feed)
        waiting = self._staged_load_ids(feed, load)
        applied = self.ledger.applied(feed.name, [load.load_id, *waiting])
        self._drop_staging(feed, applied)
        if load.load_id in applied:
            return "already_merged"
        if load.load_id not in waiting:
            if self._is_staged(load):
                raise TransientError(f"{load.staging_table} came after the list of staging tables")
            raise PermanentError(
                "staging_missing",
                f"staging table {load.staging_table} is gone and the ledger does not hold the load: "
                f"announce its pinned copy, `dropmerge backfill gs://ARCHIVE/{load.feed}/{load.load_id}`",
            )
        started = time.monotonic()
        group = [load_id for load_id in waiting if load_id not in applied]
        if load.load_id in self._merge_alone:
            group = [load.load_id]
        try:
            merge_id = self._merge_group(feed, group)
        except PermanentError as error:
            if len(group) == 1 or error.reason != "refused_by_warehouse":
                raise
            others, group = group[1:], [load.load_id]
            merge_id = self._merge_group(feed, group)
            # Alone it can be merged: one of the others, staged under another contract perhaps, is to blame.
            for load_id in others:
                self._merge_alone.add(load_id)
        delivery.timings["merge"] = time.monotonic() - started
        delivery.log_fields.update(merge_id=merge_id, merged_with=len(group) - 1)
        self._drop_staging(feed, group)
        delivery.record_event("merged", merge_id=merge_id, loads=group)
        return "merged"

    def _merge_group(self, feed: Feed, group: Sequence[str]) -> str:
        """One MERGE of these loads; its id."""
        merge_id = uuid.uuid4().hex
        staging = [self._qualified(staging_table(feed.name, load_id)) for load_id in group]
        try:
            sql = _SQL.render(
                "merge.sql",
                feed=feed,
                main=f"{self.settings.project}.{feed.table}",
                ledger=self.ledger.table,
                lock=self.ledger.lock(feed),
                staging=staging,
                bounds=key_range(self.warehouse, feed, staging),
                ranking=ranking(feed),
                names=column_names(feed),
                load_ids=group,
                merge_id=merge_id,
                no_lock=_NO_LOCK,
            )
            self.warehouse.query(sql, name=f"merge-{merge_id}")
        except PermanentError as error:
            # Another process merged and dropped what was listed here, or someone dropped a table or row: look again.
            if not isinstance(error, NotFoundError) and _NO_LOCK not in error.detail:
                raise
            self.ledger.invalidate(feed)
            raise TransientError(f"something was dropped before its MERGE: {error.detail}") from error
        return merge_id

    def _staged_load_ids(self, feed: Feed, load: Load) -> list[str]:
        """Load ids with a staging table, the message's own first, without other doubtful ones, bounded."""
        prefix = staging_table(feed.name, "")
        ids = [name.removeprefix(prefix) for name in self.warehouse.list_tables(STAGING, prefix)]
        others = sorted(one for one in ids if one != load.load_id and one not in self._merge_alone)
        own = [load.load_id] if load.load_id in ids else []
        return own + others[: max_loads(feed) - len(own)]

    def _is_staged(self, load: Load) -> bool:
        return self.warehouse.table_exists(self._qualified(load.staging_table))

    def _drop_staging(self, feed: Feed, load_ids: Collection[str]) -> None:
        """Drop the staging tables of applied loads; the feed's next group waits until that is done."""

        def finish(load_id: str) -> None:
            self.warehouse.drop_table(self._qualified(staging_table(feed.name, load_id)))
            self._applied.add(load_id)

        with ThreadPoolExecutor(_DROPS_AT_ONCE) as pool:
            list(pool.map(finish, load_ids))

    def _qualified(self, table: str) -> str:
        return f"{self.settings.project}.{STAGING}.{table}"


def max_loads(feed: Feed) -> int:
    """As many as keep the statement short enough: it names each column once a load, and 14 times besides."""
    names = sum(len(f"`{column.name}`, ") for column in feed.columns)
    remaining = _MAX_TEXT - 14 * names - 160 * len(feed.columns)
    return min(MAX_LOADS, max(1, remaining // (names + 300)))
