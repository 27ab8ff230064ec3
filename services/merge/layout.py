"""How a main table is clustered and partitioned, and what of that a table that is there can follow.

BigQuery changes the clustering of a table in place, for what is written from then on: the rows that are there are
clustered anew when a statement rewrites them (https://cloud.google.com/bigquery/docs/manage-clustered-tables). The
partitioning of a table stays what it is (https://cloud.google.com/bigquery/docs/managing-partitioned-tables).
"""

from __future__ import annotations

from google.cloud.bigquery import Table, TimePartitioning

from services.shared.contract.feed import Feed
from services.shared.contract.order import clustering


def lay_out(table: Table, feed: Feed) -> None:
    """Set what a new table is clustered and partitioned by."""
    table.clustering_fields = clustering(feed) or None
    if feed.partition_by:
        table.time_partitioning = TimePartitioning(type_=feed.partition_by.type, field=feed.partition_by.column)


def new_clustering(feed: Feed, table: Table) -> tuple[str, ...]:
    """What a table is to be clustered by from now on; nothing where it stays as it is. Only a contract that says
    `cluster_by` changes it: a table may have been taken over, or clustered by hand."""
    if feed.cluster_by is None or table.clustering_fields == feed.cluster_by:
        return ()
    return tuple(feed.cluster_by)


def other_partitioning(feed: Feed, table: Table) -> str | None:
    """How a table is not partitioned as the contract says, in words."""
    if feed.partition_by is None or is_partitioned_as(feed, table):
        return None
    return (
        f"the contract partitions it by {_words(feed.partition_by.column, feed.partition_by.type)}, and {_is(table)}"
    )


def is_partitioned_as(feed: Feed, table: Table) -> bool:
    """Whether a table is partitioned as a new one would be."""
    if table.range_partitioning:
        return False
    wanted = (feed.partition_by.column, feed.partition_by.type) if feed.partition_by else None
    return _partitioning(table) == wanted


def _partitioning(table: Table) -> tuple[str | None, str] | None:
    found = table.time_partitioning
    return (found.field, found.type_ or "DAY") if found else None


def _is(table: Table) -> str:
    if table.range_partitioning:
        return f"it is partitioned by ranges of {table.range_partitioning.field}"
    found = _partitioning(table)
    return f"it is partitioned by {_words(*found)}" if found else "it is not partitioned"


def _words(column: str | None, unit: str) -> str:
    return f"the {unit.lower()} of {column or 'its loading'}"


def partition_expression(feed: Feed) -> str | None:
    """SQL of a statement's PARTITION BY; None where the table has no partitions
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#partition_expression)."""
    if feed.partition_by is None:
        return None
    column, kind = f"`{feed.partition_by.column}`", feed.type_of(feed.partition_by.column).name
    if (kind, feed.partition_by.by) == ("DATE", "day"):
        return column
    return f"{kind}_TRUNC({column}, {feed.partition_by.type})"
