"""The rows of a key in tables of its feed, in the total order, which the warehouse decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dropmerge.operations.row_story.key import Key
from services.shared.contract.feed import Feed
from services.shared.contract.order import DELETED, GENERATION, LOAD_ID, OBJECT, metadata, ranking
from services.shared.generation import ObjectGeneration
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

MARK = "looked for"
"""Stands among the reasons of a checked row that has the key."""
_SQL = Templates(Path(__file__).parent)
_MOST = 200


@dataclass(frozen=True)
class FoundRow:
    table: str
    """The full name of the table that it was found in."""
    load_id: str
    source: ObjectGeneration
    is_deleted: bool
    values: Mapping[str, Any]
    """The contract's columns."""
    ranks: Sequence[int]
    """Its place among the rows that were found with it, by the steps of the total order."""
    reasons: Sequence[str] = ()
    """Why it is refused, where it is of a checked table."""
    row_text: str | None = None
    """As a refused row is kept, where it is of a checked table."""


@dataclass(frozen=True)
class _Table:
    name: str
    columns: frozenset[str]
    is_checked: bool


@dataclass(frozen=True)
class _Column:
    name: str
    sql: str
    nothing: str


def find_rows(
    warehouse: Warehouse, feed: Feed, key: Key, tables: Sequence[str], checked: str | None = None
) -> list[FoundRow]:
    """Of these tables, by their full names, and of a checked table whose rows were marked. Those that are not there
    have none. `feed`: by which they are compared."""
    names, rows = query_rows(warehouse, feed, key, tables, checked)
    return [_row(feed, names[row["_table"]], row) for row in rows]


def query_rows(
    warehouse: Warehouse, feed: Feed, key: Key, tables: Sequence[str], checked: str | None
) -> tuple[list[str], list[Any]]:
    """The tables that are there, and the rows, each with its table's place among them and its ranks."""
    named = [(table, False) for table in tables] + ([(checked, True)] if checked else [])
    found = [(name, warehouse.find_table(name), is_checked) for name, is_checked in named]
    there = [_Table(name, frozenset(f.name for f in one.schema), is_checked) for name, one, is_checked in found if one]
    if not there:
        return [], []
    sql = _SQL.render(
        "found_rows.sql",
        tables=there,
        columns=_columns(feed),
        key=feed.key,
        ranking=ranking(feed),
        mark=MARK,
    )
    values = {name: value for name, value in key.parameters.items() if name.startswith("k")}
    return [one.name for one in there], warehouse.query(sql, {**values, "most": ("INT64", _MOST)})


def _columns(feed: Feed) -> list[_Column]:
    own = [_Column(one.name, one.kind.sql, one.kind.nothing) for one in feed.columns]
    return own + [_Column(one.name, one.type, "NULL") for one in metadata(feed)]


def _row(feed: Feed, table: str, row: Any) -> FoundRow:
    bucket, _, name = row[OBJECT.name].removeprefix("gs://").partition("/")
    return FoundRow(
        table,
        row[LOAD_ID.name],
        ObjectGeneration(bucket, name, row[GENERATION.name]),
        row[DELETED.name],
        {column.name: row[column.name] for column in feed.columns},
        [row[f"_rank_{n}"] for n in range(len(ranking(feed)))],
        [reason for reason in row["_reasons"] if reason != MARK],
        row["_row"],
    )
