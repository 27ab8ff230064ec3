"""The one statement that merges a group of loads, and how many loads fit in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.merge.ledger import ledger_table
from services.merge.lock import NO_LOCK, lock_table
from services.merge.pruning import Bound
from services.shared.contract.feed import Feed
from services.shared.contract.order import column_names, ranking
from services.shared.datasets import STAGING
from services.shared.load import staging_table
from services.shared.sql import Templates

_SQL = Templates(Path(__file__).parent)
MAX_LOADS = 100
"""Staging tables in one MERGE, which may reference 1,000 (https://cloud.google.com/bigquery/quotas#query_jobs)."""
_MAX_CHARACTERS = 900_000
"""Of a MERGE. BigQuery takes 1 MB (https://cloud.google.com/bigquery/quotas#query_jobs)."""


def merge_statement(
    project: str, feed: Feed, load_ids: Sequence[str], merge_id: str = "", bounds: Sequence[Bound] = ()
) -> str:
    """The script that applies these loads in one transaction. `bounds`: of the first key column, as `key_range`."""
    return _SQL.render(
        "merge.sql",
        feed=feed,
        main=f"{project}.{feed.table}",
        ledger=ledger_table(project),
        lock=lock_table(project, feed),
        staging=staging_tables(project, feed, load_ids),
        bounds=bounds,
        ranking=ranking(feed),
        names=column_names(feed),
        load_ids=load_ids,
        merge_id=merge_id,
        no_lock=NO_LOCK,
    )


def staging_tables(project: str, feed: Feed, load_ids: Sequence[str]) -> list[str]:
    """Full names."""
    return [f"{project}.{STAGING}.{staging_table(feed.name, load_id, feed.fingerprint)}" for load_id in load_ids]


def fit_group(project: str, feed: Feed, load_ids: Sequence[str]) -> Sequence[str]:
    """The first of these loads, as many as one statement can hold; at least one."""
    group = load_ids[:MAX_LOADS]
    while len(group) > 1 and len(merge_statement(project, feed, group)) > _MAX_CHARACTERS:
        group = group[: len(group) // 2]
    return group
