"""The story of a merge: from one staged message to every waiting load of its feed in the main table."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property

import tenacity

from services.merge.ledger import applied_loads
from services.merge.lock import NO_LOCK
from services.merge.main_table import MainTables
from services.merge.pruning import key_range
from services.merge.statement import MAX_LOADS, fit_group, merge_statement, staging_tables
from services.merge.turns import RecentIds, Turns
from services.shared.contract.feed import Feed
from services.shared.datasets import STAGING
from services.shared.deadline import remaining
from services.shared.delivery import Delivery
from services.shared.errors import NotFoundError, PermanentError, TransientError
from services.shared.load import Load, staging_prefix
from services.shared.messages.staged import StagedMessage
from services.shared.settings import Settings
from services.shared.warehouse import Warehouse

_DROPS_AT_ONCE = 8


@dataclass(frozen=True)
class Merger:
    settings: Settings
    feeds: Mapping[str, Feed]
    warehouse: Warehouse
    _table_turns: Turns = field(default_factory=Turns)
    _applied: RecentIds = field(default_factory=RecentIds)
    """Seen applied: saves a query for each message that waited behind a group."""
    _merge_alone: RecentIds = field(default_factory=RecentIds)
    """Of a group that BigQuery refused: each is merged by its own message alone, so that it spoils no other group."""

    def __call__(self, delivery: Delivery) -> str:
        """Outcome: merged, or already_merged. Safe to repeat at any step, any number of times."""
        load = StagedMessage.decode(delivery.message.data).load
        delivery.subject.update(load.fields)
        feed = self.feeds.get(load.feed)
        if feed is None:
            raise PermanentError("unknown_feed", f"no contract for feed {load.feed!r}")
        with ExitStack() as turn:
            with delivery.timed("wait"):
                # Half of the time is kept for the MERGE itself.
                turn.enter_context(self._table_turns.turn(feed.table, remaining(self.settings.budget_seconds / 2)))
            return self._retrying(delivery, feed, load)

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
        if load.load_id in self._applied and not self._is_staged(feed, load):
            return "already_merged"
        self._main_tables.ensure(feed)
        waiting = self._staged_load_ids(feed, load)
        applied = applied_loads(self.warehouse, self._project, feed.name, [load.load_id, *waiting])
        self._drop_staging(feed, applied)
        if load.load_id in applied:
            return "already_merged"
        if load.load_id not in waiting:
            raise self._missing(feed, load)
        alone = load.load_id in self._merge_alone
        group = [load.load_id] if alone else [load_id for load_id in waiting if load_id not in applied]
        self._merge_waiting(delivery, feed, group)
        return "merged"

    def _staged_load_ids(self, feed: Feed, load: Load) -> list[str]:
        """Load ids with a staging table, the message's own first, at most as many as one MERGE takes."""
        prefix, contract = staging_prefix(feed.name), f"__{feed.fingerprint}"
        names = self.warehouse.list_tables(STAGING, prefix)
        ids = [name.removeprefix(prefix).removesuffix(contract) for name in names if name.endswith(contract)]
        own = [load.load_id] if load.load_id in ids else []
        others = sorted(one for one in ids if one != load.load_id and one not in self._merge_alone)
        return [*own, *others][:MAX_LOADS]

    def _missing(self, feed: Feed, load: Load) -> PermanentError | TransientError:
        table = load.staging_table(feed.fingerprint)
        if self._is_staged(feed, load):
            return TransientError(f"{table} was created after the staging tables were listed")
        return PermanentError(
            "staging_missing",
            f"staging table {table} is gone and the ledger does not hold the load: "
            f"announce its pinned copy, `dropmerge backfill gs://ARCHIVE/{load.feed}/{load.load_id}`",
        )

    def _merge_waiting(self, delivery: Delivery, feed: Feed, load_ids: Sequence[str]) -> None:
        """Merge as many as fit in one statement, the first among them, and drop their staging tables."""
        with delivery.timed("merge"):
            merge_id, group = self._merge_group_or_first(feed, fit_group(self._project, feed, load_ids))
        delivery.log_fields.update(merge_id=merge_id, merged_with=len(group) - 1)
        self._drop_staging(feed, group)
        delivery.record_event("merged", merge_id=merge_id, loads=group)

    def _merge_group_or_first(self, feed: Feed, group: Sequence[str]) -> tuple[str, Sequence[str]]:
        """The MERGE's id and the loads that it took: the first alone if BigQuery refuses the whole group."""
        try:
            return self._merge_group(feed, group), group
        except PermanentError as error:
            if len(group) == 1 or error.reason != "refused_by_warehouse":
                raise
        merge_id = self._merge_group(feed, group[:1])
        # Alone it can be merged: one of the others, staged under another contract perhaps, is to blame.
        for load_id in group[1:]:
            self._merge_alone.add(load_id)
        return merge_id, group[:1]

    def _merge_group(self, feed: Feed, group: Sequence[str]) -> str:
        """One MERGE of these loads; its id."""
        merge_id = uuid.uuid4().hex
        try:
            bounds = key_range(self.warehouse, feed, staging_tables(self._project, feed, group))
            sql = merge_statement(self._project, feed, group, merge_id, bounds)
            self.warehouse.query(sql, name=f"merge-{merge_id}")
        except PermanentError as error:
            # Another process merged and dropped what was listed here, or someone dropped a table or row: look again.
            if not isinstance(error, NotFoundError) and NO_LOCK not in error.detail:
                raise
            self._main_tables.invalidate(feed)
            raise TransientError(f"something was dropped before its MERGE: {error.detail}") from error
        return merge_id

    def _drop_staging(self, feed: Feed, load_ids: Collection[str]) -> None:
        """Drop the staging tables of applied loads; the feed's next group waits until that is done."""
        with ThreadPoolExecutor(_DROPS_AT_ONCE) as pool:
            list(pool.map(self.warehouse.drop_table, staging_tables(self._project, feed, list(load_ids))))
        for load_id in load_ids:
            self._applied.add(load_id)

    def _is_staged(self, feed: Feed, load: Load) -> bool:
        return self.warehouse.table_exists(f"{self._project}.{STAGING}.{load.staging_table(feed.fingerprint)}")

    @property
    def _project(self) -> str:
        return self.settings.project

    @cached_property
    def _main_tables(self) -> MainTables:
        return MainTables(self.warehouse, self._project)
