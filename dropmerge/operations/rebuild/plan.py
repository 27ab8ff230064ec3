"""What a table can be made of now, and what that means for the live one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from google.cloud.bigquery import Table

from dropmerge.operations.adopt import entries_of
from dropmerge.operations.dead_letters.latest import waiting_generations
from dropmerge.operations.loads.events import MAX_CLOCK_SKEW, discarded_generations
from dropmerge.operations.rebuild.archive import Pinned, Window, pinned
from dropmerge.operations.rebuild.build import Build
from dropmerge.operations.rebuild.live import Merged, merged_loads
from services.merge.follow import changes, definition, identity
from services.merge.layout import is_partitioned_as
from services.shared.contract.feed import Feed
from services.shared.contract.history import history_view, versions_table
from services.shared.contract.order import ADOPTED, clustering


@dataclass(frozen=True)
class Plan:
    files: Sequence[Pinned]
    left_out: int
    """Files that wait as a dead letter or were discarded."""
    live: Mapping[str, Merged]
    """The loads of the live table."""
    gone: Sequence[str]
    """Of these, the ids of those that the archive has no copy of."""

    @property
    def size(self) -> int:
        return sum(one.size for one in self.files)


def make_plan(build: Build, window: Window) -> Plan:
    """Of the files in the archive now."""
    live = merged_loads(build, entries_of(build.connection, build.contract))
    archived = [one for one in pinned(build.connection, build.contract.name) if one in window]
    since = min((one.load.source.created for one in archived), default=datetime.now(UTC)) - MAX_CLOCK_SKEW
    given_up = waiting_generations(build.connection) | discarded_generations(build.connection, since)
    files = [one for one in archived if one.load_id in live or one.load.source not in given_up]
    gone = [] if window else sorted(live.keys() - {one.load_id for one in archived} - {ADOPTED})
    return Plan(files, len(archived) - len(files), live, gone)


def differences(build: Build) -> list[str]:
    """How the table of today's contract will differ from the live one, in words."""
    found = entries_of(build.connection, build.contract)
    moved = [one.main_table for one in found if one.main_table != build.contract.table]
    keys = [one.identity for one in found if one.identity != identity(build.contract)]
    return [
        *(f"{table} is no longer the feed's table, and stays as it is" for table in moved),
        *(f"rows are identified by {identity(build.contract)}; before, by {key}" for key in keys),
        *_versions(build),
        *_columns(build),
    ]


def _versions(build: Build) -> list[str]:
    name, view = versions_table(build.contract.table), history_view(build.contract.table)
    if build.contract.history or not build.warehouse.table_exists(f"{build.project}.{name}"):
        return []
    return [f"{name} and {view} are dropped: versions are no longer kept"]


def _columns(build: Build) -> list[str]:
    table = build.warehouse.find_table(f"{build.project}.{build.contract.table}")
    if table is None:
        return []
    wanted = definition(build.contract)
    found, names = changes(table.schema, wanted), {one.name.lower() for one in wanted}
    lost = [one.name for one in table.schema if one.name.lower() not in names]
    kept = [] if build.contract.unknown_columns == "add" else lost
    return [
        *found.sentences(),
        *found.refusals,
        *(f"loses the column {name}" for name in kept),
        *_layout(build.contract, table),
    ]


def _layout(feed: Feed, table: Table) -> Iterator[str]:
    if (table.clustering_fields or []) != clustering(feed):
        yield f"is clustered by {', '.join(clustering(feed)) or 'nothing'} from then on"
    if is_partitioned_as(feed, table):
        return
    if feed.partition_by:
        yield f"is partitioned by the {feed.partition_by.by} of {feed.partition_by.column} from then on"
    else:
        yield "loses its partitioning"
