"""The one statement that merges a group of loads, and how many loads fit in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from services.merge.entries import entries_table
from services.merge.ledger import ledger_table
from services.merge.lock import NOT_READY, lock_table
from services.merge.main_table import MainTable
from services.merge.pruning import Bound
from services.merge.staged import Staged, all_extra
from services.shared.contract.feed import Feed
from services.shared.contract.history import version_key, versions_table
from services.shared.contract.order import METADATA, Rank, column_names, ranking
from services.shared.contract.types import type_named
from services.shared.datasets import STAGING
from services.shared.load import staging_table
from services.shared.sql import Templates

_SQL = Templates(Path(__file__).parent)
MAX_LOADS = 500
"""Staging tables in one MERGE, which may reference 1,000 (https://cloud.google.com/bigquery/quotas#query_jobs)."""
_MAX_CHARACTERS = 900_000
"""Of a MERGE. BigQuery takes 1 MB (https://cloud.google.com/bigquery/quotas#query_jobs)."""


def merge_statement(
    project: str,
    feed: Feed,
    main: MainTable,
    loads: Sequence[Staged],
    merge_id: str = "",
    bounds: Sequence[Bound] = (),
) -> str:
    """The script that applies these loads in one transaction. `bounds`: as `key_range`."""
    extra = list(all_extra(loads))
    names = [*column_names(feed), *extra]
    return _SQL.render(
        "merge.sql",
        feed=feed,
        written=list(_written(project, feed, main, extra)),
        table_id=main.table_id,
        ledger=ledger_table(project),
        lock=lock_table(project, feed),
        entries=entries_table(project),
        sources=[{"table": load.table, "absent": set(extra) - set(all_extra([load]))} for load in loads],
        bounds=bounds,
        names=names,
        loads=loads,
        nothing={column.name: column.kind.nothing for column in feed.columns},
        merge_id=merge_id,
        kept={*feed.key, *(one.name for one in METADATA)},
        not_ready=NOT_READY,
    )


def _written(project: str, feed: Feed, main: MainTable, extra: Sequence[str]) -> Iterator[dict[str, object]]:
    """The main table and, where each version is kept, theirs: with each the key and the order of its rows, and its
    columns that no load has."""
    known = {name.lower() for name in (*column_names(feed), *extra)}
    *ranks, last = ranking(feed)
    order = [*ranks, *(Rank(name, type_named("STRING").comparable) for name in extra), last]
    for table, key, there in (
        (feed.table, feed.key, main),
        (versions_table(feed.table), version_key(feed), main.versions),
    ):
        if there:
            yield {
                "target": f"{project}.{table}",
                "key": key,
                "ranking": [one for one in order if table == feed.table or one.name not in key],
                "others": [(name, name in there.arrays) for name in there.columns if name.lower() not in known],
            }


def staging_name(project: str, feed: Feed, load_id: str) -> str:
    """Full name of a load's staging table, as this contract reads the file."""
    return f"{project}.{STAGING}.{staging_table(feed.name, load_id, feed.fingerprint)}"


def fit_group(project: str, feed: Feed, main: MainTable, loads: Sequence[Staged]) -> Sequence[Staged]:
    """The first of these loads, as many as one statement can hold; at least one."""

    def length(count: int) -> int:
        return len(merge_statement(project, feed, main, loads[:count]))

    # What a load adds is about the same for each: to try with all would take seconds for a wide contract.
    first = length(1)
    fitting = 1 + max(0, _MAX_CHARACTERS - first) // max(1, length(2) - first)
    count = min(len(loads), MAX_LOADS, fitting)
    while count > 1 and length(count) > _MAX_CHARACTERS:
        count -= 1 + count // 20
    return loads[:count]
