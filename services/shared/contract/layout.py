"""How a main table is laid out, as its contract says it: what it is clustered and what it is partitioned by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Protocol

from pydantic import Field

from services.shared.contract.columns import Column, Model, Name
from services.shared.contract.fault import Fault, Place
from services.shared.contract.types import ColumnType

ClusterBy = Annotated[list[Name] | None, Field(min_length=1, max_length=4)]
"""https://cloud.google.com/bigquery/docs/clustered-tables#limitations"""

_UNITS = {
    "DATE": ("day", "month", "year"),
    "DATETIME": ("hour", "day", "month", "year"),
    "TIMESTAMP": ("hour", "day", "month", "year"),
}
"""By type (https://cloud.google.com/bigquery/docs/partitioned-tables#date_timestamp_partitioned_tables)."""


class PartitionBy(Model):
    """One partition for each hour, day, month or year that a column's values are in."""

    column: Name
    by: Literal["hour", "day", "month", "year"] = "day"

    @property
    def type(self) -> str:
        """As the API has it."""
        return self.by.upper()


class Contract(Protocol):
    """The part of a feed that decides."""

    @property
    def columns(self) -> Sequence[Column]: ...

    @property
    def key(self) -> Sequence[str]: ...

    @property
    def cluster_by(self) -> Sequence[str] | None: ...

    @property
    def partition_by(self) -> PartitionBy | None: ...


def faults(feed: Contract) -> Iterator[Fault]:
    """What a table of these columns cannot be laid out by."""
    kinds = {column.name: column.kind for column in feed.columns}
    names = feed.cluster_by or []
    for number, name in enumerate(names):
        place: Place = ("cluster_by", number)
        if name not in kinds:
            yield Fault(place, f"{name} is not one of the contract's columns")
        elif not kinds[name].can_cluster:
            yield Fault(place, f"{name} is {kinds[name].name}, by which BigQuery clusters no table: leave it out")
        elif name in names[:number]:
            yield Fault(place, f"{name} is listed twice")
    if feed.partition_by:
        yield from _faults_of_partition(feed.partition_by, kinds.get(feed.partition_by.column))


def _faults_of_partition(wanted: PartitionBy, kind: ColumnType | None) -> Iterator[Fault]:
    place: Place = ("partition_by", "column")
    if kind is None:
        yield Fault(place, f"{wanted.column} is not one of the contract's columns")
        return
    name = kind.name
    if name not in _UNITS:
        yield Fault(place, f"{wanted.column} is {name}, and a table is partitioned by a {' or '.join(_UNITS)} only")
    elif wanted.by not in _UNITS[name]:
        fit = ", ".join(_UNITS[name])
        yield Fault(("partition_by", "by"), f"a {name} has no {wanted.by}: write one of {fit}")


def notes(feed: Contract) -> Iterator[Fault]:
    """What a layout costs that a contract may have, and its author should know."""
    partition, first = feed.partition_by, feed.cluster_by[0] if feed.cluster_by else None
    if partition and feed.key and partition.column not in feed.key:
        yield Fault(
            ("partition_by", "column"),
            f"{partition.column} is not in the key, so a row's partition may change, and each MERGE reads all "
            f"partitions: partitioning by it makes queries cheaper, and no MERGE",
        )
    if first and feed.key and first not in feed.key:
        yield Fault(
            ("cluster_by", 0),
            f"{first} is not in the key, so each MERGE reads all blocks of the table; put a column of the key first "
            "where its keys arrive together",
        )
