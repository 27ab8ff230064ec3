"""Which of two rows for one key stays: a total order. And the columns that each row has beside the contract's."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.contract.feed import Feed
from services.shared.contract.types import ColumnType, type_named


@dataclass(frozen=True)
class Metadata:
    """A column that staging and main tables have beside the contract's, none of which begins with _."""

    name: str
    type: str
    source: str
    """SQL of it in the statement that types a file's rows."""


DELETED = Metadata("_deleted", "BOOL", "_deleted")
GENERATION = Metadata("_generation", "INT64", "@generation")
OBJECT = Metadata("_object", "STRING", "@object")
LOAD_ID = Metadata("_load_id", "STRING", "@load_id")
METADATA = (DELETED, GENERATION, OBJECT, LOAD_ID)


def column_names(feed: Feed) -> list[str]:
    """Of staging and main tables, in their order."""
    return [column.name for column in feed.columns] + [one.name for one in METADATA]


@dataclass(frozen=True)
class Rank:
    """One step of the order: the row with the greater value wins, NULL is smallest."""

    name: str
    type: ColumnType

    def of(self, table: str = "") -> str:
        """SQL to compare, of the column in the table of this alias."""
        return self.type.comparable(f"{table}.`{self.name}`" if table else f"`{self.name}`")


def ranking(feed: Feed) -> list[Rank]:
    """The first step in which two rows differ decides: version, generation, delete, the other columns in order.

    Rows equal in all of these, created in one microsecond, are told apart by their object's name.
    """
    types = {column.name: column.type for column in feed.columns}
    names = [feed.version, GENERATION.name, DELETED.name, *feed.tie_breakers, OBJECT.name]
    types |= {one.name: one.type for one in METADATA}
    return [Rank(name, type_named(types[name])) for name in names]
