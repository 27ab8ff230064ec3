"""Which of two rows for one key stays: a total order. And the columns that each row has beside the contract's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.shared.contract.feed import Feed
from services.shared.contract.formats import RESCUED_NAME
from services.shared.contract.types import TYPES
from services.shared.contract.version import GENERATION as GENERATION_NAME


@dataclass(frozen=True)
class Metadata:
    """A column that staging and main tables have beside the contract's, none of which begins with _."""

    name: str
    type: str
    source: str
    """SQL of it in the statement that types a file's rows."""
    mode: Literal["NULLABLE", "REQUIRED"] = "REQUIRED"

    def comparable(self, column: str) -> str:
        """SQL to order by. BigQuery's JSON has no order
        (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#orderable_data_types)."""
        return f"TO_JSON_STRING({column})" if self.type == "JSON" else column


def as_text(column: str, kind: str, is_array: bool = False) -> str:
    """SQL of a table's column to compare by, whatever its type: the column, or its text where GoogleSQL compares none
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#groupable_data_types)."""
    if is_array or kind not in TYPES:
        return f"TO_JSON_STRING({column})"
    return TYPES[kind].comparable(column)


DELETED = Metadata("_deleted", "BOOL", "_deleted")
GENERATION = Metadata(GENERATION_NAME, "INT64", "@generation")
OBJECT = Metadata("_object", "STRING", "@object")
LOAD_ID = Metadata("_load_id", "STRING", "@load_id")
ADOPTED = "adopted"
"""Stands for the load's id in rows that were in the main table before the feed; their generation is 0."""
RESCUED = Metadata(RESCUED_NAME, "JSON", f"IF(_deleted, NULL, {RESCUED_NAME})", "NULLABLE")
METADATA = (DELETED, GENERATION, OBJECT, LOAD_ID)
"""Of every feed."""


def metadata(feed: Feed) -> tuple[Metadata, ...]:
    """Of this feed's tables, in their order."""
    return (*METADATA, RESCUED) if feed.unknown_columns == "rescue" else METADATA


def column_names(feed: Feed) -> list[str]:
    """Of staging and main tables, in their order."""
    return [column.name for column in feed.columns] + [one.name for one in metadata(feed)]


@dataclass(frozen=True)
class Rank:
    """One step of the order: the row with the greater value wins, NULL is smallest."""

    name: str
    comparable: Callable[[str], str]
    """SQL to order a column by."""

    def of(self, table: str = "") -> str:
        """SQL to compare, of the column in the table of this alias."""
        return self.comparable(f"{table}.`{self.name}`" if table else f"`{self.name}`")


def ranking(feed: Feed) -> list[Rank]:
    """The first step in which two rows differ decides: version, generation, delete, the other columns in order,
    what was rescued.

    Rows equal in all of these, created in one microsecond, are told apart by their object's name.
    """
    comparable: dict[str, Callable[[str], str]] = {one.name: one.kind.comparable for one in feed.columns}
    comparable |= {one.name: one.comparable for one in metadata(feed)}
    rescued = [RESCUED.name] if RESCUED in metadata(feed) else []
    names = [*feed.versions, GENERATION.name, DELETED.name, *feed.tie_breakers, *rescued, OBJECT.name]
    if feed.mode == "snapshot":
        # Of a tombstone no value is left to compare.
        names = [GENERATION.name, OBJECT.name, *names[1:-1]]
    return [Rank(name, comparable[name]) for name in names]


def clustering(feed: Feed) -> list[str]:
    """The columns that a main table is clustered by: the contract's `cluster_by`, or those of the key that can be, of
    which BigQuery takes four (https://cloud.google.com/bigquery/docs/clustered-tables#limitations); without a key the
    generation, so that a MERGE finds a load's rows without reading the others."""
    if feed.cluster_by:
        return [*feed.cluster_by]
    if not feed.key:
        return [GENERATION.name]
    return [name for name in feed.key if feed.type_of(name).can_cluster][:4]


def bounded(feed: Feed) -> list[str]:
    """The columns of which a MERGE may name the least and the greatest value that its loads have: what the table is
    clustered by first and what it is partitioned by, where all rows of a key have one value in it."""
    if not feed.key:
        return [GENERATION.name]
    names = [*clustering(feed)[:1], *([feed.partition_by.column] if feed.partition_by else [])]
    return [name for name in dict.fromkeys(names) if name in feed.key]
