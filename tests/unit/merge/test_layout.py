"""A main table that is there follows `cluster_by`, and is refused where it is not partitioned as its contract says."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.bigquery import PartitionRange, RangePartitioning, Table, TimePartitioning

from services.merge.follow import definition
from services.merge.layout import lay_out, partition_expression
from services.merge.main_table import required_changes
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError
from tests.harness.main_table import described

_COLUMNS = [
    {"name": "id", "type": "INT64"},
    {"name": "day", "type": "DATE"},
    {"name": "at", "type": "TIMESTAMP"},
    {"name": "local", "type": "DATETIME"},
    {"name": "v", "type": "INT64"},
]


def _feed(**more: Any) -> Feed:
    words = {"feed": "f", "objects": "x/*", "format": {"type": "csv"}, "table": "main.f", "version": "v"}
    return Feed.model_validate({**words, "key": ["id", "day"], "columns": _COLUMNS, **more})


def _table(clustering: list[str] | None = None, partitioning: Any = None) -> Table:
    table = described("p.main.f", definition(_feed()))
    table.clustering_fields = clustering
    if isinstance(partitioning, RangePartitioning):
        table.range_partitioning = partitioning
    else:
        table.time_partitioning = partitioning
    return table


_MONTHS = {"column": "day", "by": "month"}
_OF_DAY = TimePartitioning(type_="MONTH", field="day")


@pytest.mark.parametrize(
    ("feed", "table", "clustered"),
    [
        (_feed(), _table(["id", "day"]), []),
        (_feed(), _table(["v"]), []),  # taken over, or clustered by hand
        (_feed(cluster_by=["day"]), _table(["id", "day"]), ["day"]),
        (_feed(cluster_by=["day"]), _table(["day"]), []),
        (_feed(cluster_by=["day"]), _table(), ["day"]),
        (_feed(partition_by=_MONTHS), _table(["id", "day"], _OF_DAY), []),
        (_feed(), _table(["id", "day"], _OF_DAY), []),
    ],
)
def test_a_table_follows_the_clustering_that_its_contract_says(feed: Feed, table: Table, clustered: list[str]) -> None:
    """And keeps its own where the contract says nothing."""
    found = required_changes(feed, table)
    assert [*found.clustered] == clustered
    assert bool(found) == bool(clustered)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (_table(), "it is not partitioned"),
        (_table(None, TimePartitioning(type_="DAY", field="day")), "it is partitioned by the day of day"),
        (_table(None, TimePartitioning(type_="MONTH", field="at")), "it is partitioned by the month of at"),
        (_table(None, TimePartitioning(type_="MONTH")), "it is partitioned by the month of its loading"),
        (_table(None, RangePartitioning(PartitionRange(0, 9, 1), "id")), "it is partitioned by ranges of id"),
    ],
)
def test_another_partitioning_is_refused(table: Table, words: str) -> None:
    """BigQuery changes that of no table, and a rebuild is the way."""
    with pytest.raises(PermanentError, match=words) as raised:
        required_changes(_feed(partition_by=_MONTHS), table)
    assert raised.value.reason == "contract_changed"
    assert "dropmerge rebuild f" in raised.value.detail


def test_a_new_table_is_laid_out_by_its_contract() -> None:
    """By the contract's words, else by its key and without partitions."""
    plain, laid_out = Table("p.main.f"), Table("p.main.f")
    lay_out(plain, _feed())
    lay_out(laid_out, _feed(cluster_by=["day", "v"], partition_by=_MONTHS))
    assert (plain.clustering_fields, plain.time_partitioning) == (["id", "day"], None)
    assert (laid_out.clustering_fields, laid_out.time_partitioning) == (["day", "v"], _OF_DAY)


@pytest.mark.parametrize(
    ("column", "by", "sql"),
    [
        ("day", "day", "`day`"),
        ("day", "year", "DATE_TRUNC(`day`, YEAR)"),
        ("at", "day", "TIMESTAMP_TRUNC(`at`, DAY)"),
        ("at", "hour", "TIMESTAMP_TRUNC(`at`, HOUR)"),
        ("local", "month", "DATETIME_TRUNC(`local`, MONTH)"),
    ],
)
def test_the_same_layout_in_sql(column: str, by: str, sql: str) -> None:
    """A rebuild puts its rows in place by a statement."""
    assert partition_expression(_feed(partition_by={"column": column, "by": by})) == sql
