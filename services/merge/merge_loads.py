"""The story of a merge: from one staged message to every waiting load of its feed in the main table."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial

import tenacity

from services.merge.ledger import applied_loads
from services.merge.main_table import MainTable, MainTables
from services.merge.merge_group import Merge, merge_affordable, merge_group
from services.merge.pace import is_urgent, seconds_since_merge, times, wait_until_due
from services.merge.snapshots import too_small
from services.merge.staged import Staged, find_staged
from services.merge.statement import MAX_LOADS, fit_group, staging_name
from services.merge.turns import RecentIds, Turn, Turns
from services.shared.contract.feed import Feed
from services.shared.datasets import STAGING
from services.shared.delivery import Delivery
from services.shared.errors import PermanentError, TransientError
from services.shared.load import Load, staging_prefix
from services.shared.messages.announcement import announcement
from services.shared.messages.read_anew import BY, MAX_ASKED, Request
from services.shared.messages.staged import StagedMessage
from services.shared.publisher import Publisher
from services.shared.settings import Settings
from services.shared.warehouse import Warehouse

_DROPS_AT_ONCE = 8


@dataclass(frozen=True)
class Merger:
    settings: Settings
    feeds: Mapping[str, Feed]
    warehouse: Warehouse
    publisher: Publisher
    turns: Turns = field(default_factory=Turns)
    _applied: RecentIds = field(default_factory=RecentIds)
    """Seen applied, each with its main table's id: saves a query for each message that waited behind a group."""
    _merge_alone: RecentIds = field(default_factory=RecentIds)
    """Of a group that BigQuery refused: each is merged by its own message alone, so that it spoils no other group."""

    def __call__(self, delivery: Delivery) -> str:
        """Outcome: merged, already_merged or sent_back. Safe to repeat at any step, any number of times."""
        message = StagedMessage.decode(delivery.message.data)
        load = message.load
        delivery.subject.update(load.fields)
        feed = self.feeds.get(load.feed)
        if feed is None:
            raise PermanentError("unknown_feed", f"no contract for feed {load.feed!r}")
        delivery.contract = feed.fingerprint
        outcome = self._merged_or_followed(delivery, feed, message)
        if isinstance(outcome, Merge):
            # What it did is asked for once the next group has its turn.
            self._report(delivery, feed, outcome)
            return "merged"
        if outcome == "sent_back":
            self._send_back(delivery, feed, message)
        return outcome

    def _merged_or_followed(self, delivery: Delivery, feed: Feed, message: StagedMessage) -> str | Merge:
        """By this message's own MERGE, or by that of another which it waited for."""
        budget, load_id = self.settings.budget_seconds, message.load.load_id
        waited = time.monotonic()
        with self.turns.turn(feed.table, load_id, times(budget), is_urgent(delivery.message)) as turn:
            if feed.merge_every and not turn.is_merged:
                self._wait_until_due(feed, message.load, turn)
            delivery.timings["wait"] = time.monotonic() - waited
            return "already_merged" if turn.is_merged else self._retrying(delivery, feed, message, turn)

    def _wait_until_due(self, feed: Feed, load: Load, turn: Turn) -> None:
        main = self._main_tables.ensure(feed)
        if not self._is_known_merged(feed, load, main):
            since = partial(seconds_since_merge, self.warehouse, self._project, feed, main.table_id)
            wait_until_due(turn, feed, self.settings.budget_seconds, since)

    def _is_known_merged(self, feed: Feed, load: Load, main: MainTable) -> bool:
        """Whether this process saw it merged, and nobody has staged it again since."""
        return _applied_id(main, load.load_id) in self._applied and not self._is_staged(load, feed.fingerprint)

    def _retrying(self, delivery: Delivery, feed: Feed, message: StagedMessage, turn: Turn) -> str | Merge:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, Exception) and not isinstance(error, PermanentError)
            ),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=20),
            stop=tenacity.stop_after_delay(self.settings.budget_seconds / 4),
            reraise=True,
        )
        return retrying(self._merge, delivery, feed, message.load, message.contract, turn)

    def _merge(self, delivery: Delivery, feed: Feed, load: Load, contract: str, turn: Turn) -> str | Merge:
        main = self._main_tables.ensure(feed)
        known = [one for one in turn.cover() if _applied_id(main, one) in self._applied]
        # Where nobody else is to be answered, to ask for one table is cheaper than to list them all.
        if len(known) == 1 and self._is_known_merged(feed, load, main):
            return "already_merged"
        tables = self.warehouse.list_tables(STAGING, staging_prefix(feed.name))
        staged = _staged_ids(feed, tables)
        merged = set(known).difference(staged)
        turn.answer(merged)
        if load.load_id in merged:
            return "already_merged"
        waiting = self._waiting(load, staged)
        applied = applied_loads(self.warehouse, self._project, feed.name, main.table_id, [load.load_id, *waiting])
        self._drop_staging(main, applied, tables)
        turn.answer(applied)
        if load.load_id in applied:
            return "already_merged"
        if load.load_id not in waiting:
            if contract != feed.fingerprint and self._is_staged(load, contract):
                return "sent_back"
            raise self._missing(feed, load)
        alone = load.load_id in self._merge_alone
        group = [load.load_id] if alone else [load_id for load_id in waiting if load_id not in applied]
        merge = self._merge_waiting(delivery, feed, main, group, tables)
        turn.record_merge(delivery.timings["merge"])
        turn.answer({one.load_id for one in merge.loads})
        return merge

    def _report(self, delivery: Delivery, feed: Feed, merge: Merge) -> None:
        """What the MERGE did and cost, to the log and the journal, as far as BigQuery says."""
        changed = self.warehouse.rows_changed(merge.job.job_id)
        inserted, updated = changed or (None, None)
        found = {
            "inserted": inserted,
            "updated": updated,
            "bytes_billed": merge.job.cost.bytes_billed,
            "slot_ms": merge.job.cost.slot_ms,
        }
        known = {name: number for name, number in found.items() if number is not None}
        loads = [one.load_id for one in merge.loads]
        delivery.log_fields.update(merge_id=merge.id, merged_with=len(loads) - 1, **known)
        delivery.record_event("merged", merge_id=merge.id, loads=loads, mode=feed.mode, **known)

    def _send_back(self, delivery: Delivery, feed: Feed, message: StagedMessage) -> None:
        """Ask ingest to read the file by the contract of now. Raises PermanentError where it was asked too often."""
        attributes = delivery.message.attributes
        request = Request.after(attributes, message.contract)
        delivery.record_event("sent_back", staged_under=message.contract, asked=request.asked)
        if request.asked > MAX_ASKED:
            raise PermanentError(
                "contracts_differ",
                f"ingest still reads the files of {feed.name} with contract {message.contract}, but this service runs "
                f"{feed.fingerprint}: deploy both, then replay this dead letter",
            )
        wanted = announcement(message.load.source, BY, request.attributes(feed.name))
        self.publisher.publish(self.settings.arrived_topic, [wanted])

    def _waiting(self, load: Load, staged: Sequence[str]) -> list[str]:
        """Ids of the loads that are staged, the message's own first, at most as many as one MERGE takes."""
        own = [load.load_id] if load.load_id in staged else []
        others = sorted(one for one in staged if one != load.load_id and one not in self._merge_alone)
        return [*own, *others][:MAX_LOADS]

    def _missing(self, feed: Feed, load: Load) -> PermanentError | TransientError:
        table = load.staging_table(feed.fingerprint)
        if self._is_staged(load, feed.fingerprint):
            return TransientError(f"{table} was created after the staging tables were listed")
        return PermanentError(
            "staging_missing",
            f"staging table {table} is gone, and the ledger does not have the load: "
            f"re-announce its pinned copy with `dropmerge backfill --dead-letters gs://ARCHIVE/{load.feed}/{load.load_id}`",
        )

    def _merge_waiting(
        self, delivery: Delivery, feed: Feed, main: MainTable, load_ids: Sequence[str], tables: Sequence[str]
    ) -> Merge:
        """Merge as many as fit in one statement, the first among them, and drop their staging tables."""
        names = {load_id: staging_name(self._project, feed, load_id) for load_id in load_ids}
        waiting = [find_staged(self.warehouse, feed, load_id, name) for load_id, name in names.items()]
        with delivery.timed("merge"):
            fitting = self._large_enough(feed, main, fit_group(self._project, feed, main, waiting))
            merge = self._merge_group_or_first(feed, fitting)
        self._drop_staging(main, [one.load_id for one in merge.loads], tables)
        return merge

    def _large_enough(self, feed: Feed, main: MainTable, group: Sequence[Staged]) -> Sequence[Staged]:
        """The group without snapshots that are too small: each is refused by its own message, the first's at once."""
        refused = too_small(self.warehouse, self._project, feed, main, group)
        if group[0].load_id in refused:
            raise PermanentError("snapshot_too_small", refused[group[0].load_id])
        return [one for one in group if one.load_id not in refused]

    def _merge_group_or_first(self, feed: Feed, group: Sequence[Staged]) -> Merge:
        """The MERGE of the group, or of its first load alone if BigQuery refuses the whole group."""
        try:
            return merge_affordable(self._main_tables, feed, group)
        except PermanentError as error:
            if len(group) == 1 or error.reason not in ("refused_by_warehouse", "contract_changed"):
                raise
        merge = merge_group(self._main_tables, feed, group[:1])
        # Alone it can be merged: one of the others, with another column perhaps, is to blame.
        for one in group[1:]:
            self._merge_alone.add(one.load_id)
        return merge

    def _drop_staging(self, main: MainTable, load_ids: Iterable[str], tables: Sequence[str]) -> None:
        """Drop the staging tables of applied loads, whichever contract made them; the next group waits until that is
        done."""
        done = [name for name in tables for load_id in load_ids if f"__{load_id}" in name]
        with ThreadPoolExecutor(_DROPS_AT_ONCE) as pool:
            list(pool.map(self.warehouse.drop_table, [f"{self._project}.{STAGING}.{name}" for name in done]))
        for load_id in load_ids:
            self._applied.add(_applied_id(main, load_id))

    def _is_staged(self, load: Load, contract: str) -> bool:
        return self.warehouse.table_exists(f"{self._project}.{STAGING}.{load.staging_table(contract)}")

    @property
    def _project(self) -> str:
        return self.settings.project

    @cached_property
    def _main_tables(self) -> MainTables:
        return MainTables(self.warehouse, self._project)


def _staged_ids(feed: Feed, tables: Sequence[str]) -> list[str]:
    """Of the loads that this contract staged."""
    prefix, contract = staging_prefix(feed.name), f"__{feed.fingerprint}"
    return [name.removeprefix(prefix).removesuffix(contract) for name in tables if name.endswith(contract)]


def _applied_id(main: MainTable, load_id: str) -> str:
    return f"{main.table_id}/{load_id}"
