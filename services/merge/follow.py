"""What a contract that changed means for the main table that is there: it follows, or it cannot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from google.cloud.bigquery import SchemaField

from services.shared.contract.feed import Column, Feed
from services.shared.contract.order import GENERATION, metadata
from services.shared.contract.types import type_named

_WIDER = {"INT64": ("NUMERIC", "BIGNUMERIC", "FLOAT64"), "NUMERIC": ("BIGNUMERIC", "FLOAT64")}
"""What BigQuery makes of a column of a type, whatever its values
(https://cloud.google.com/bigquery/docs/managing-table-schemas#change_column_data_type)."""


@dataclass(frozen=True)
class Changes:
    """What is to be done to a main table before a contract's loads can be merged into it."""

    added: Sequence[SchemaField] = ()
    widened: Sequence[tuple[str, str]] = ()
    """Name and new type."""
    relaxed: Sequence[str] = ()
    clustered: Sequence[str] = ()
    """What the table is clustered by from then on, where that changes."""
    refusals: Sequence[str] = ()
    """What no change of the table can do, in words."""

    def __bool__(self) -> bool:
        return bool(self.added or self.widened or self.relaxed or self.clustered or self.refusals)

    def sentences(self) -> list[str]:
        """What becomes of the table, one line per column."""
        return [
            *(f"gains the column {one.name} {_shown(one)}" for one in self.added),
            *(f"has {kind} for {name} from then on" for name, kind in self.widened),
            *(f"may have NULL in {name} from then on" for name in self.relaxed),
            *([f"is clustered by {', '.join(self.clustered)} from then on"] if self.clustered else []),
        ]


def _shown(field: SchemaField) -> str:
    return f"ARRAY<{field.field_type}>" if field.mode == "REPEATED" else str(field.field_type)


def identity(feed: Feed) -> str:
    """What a main table's rows are told apart and ordered by: it stays as long as the table does."""
    if feed.mode == "append":
        return "no key: each row of each file is one (mode append)"
    if feed.mode == "snapshot":
        return f"key {_typed(feed, feed.key)}; the newest file alone (mode snapshot)"
    kept = "; every version kept (history)" if feed.history else ""
    return f"key {_typed(feed, feed.key)}; version {_typed(feed, feed.versions) or GENERATION.name}{kept}"


def _typed(feed: Feed, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {feed.type_of(name).name}" for name in names)


def definition(feed: Feed, extra: Collection[str] = ()) -> list[SchemaField]:
    """The columns of a new main table. `extra`: names that files have beside the contract's."""
    return [
        *(
            SchemaField(
                column.name,
                column.type,
                _mode(feed, column),
                description=column.description,
            )
            for column in feed.columns
        ),
        *(SchemaField(one.name, one.type, one.mode) for one in metadata(feed)),
        *(SchemaField(name, "STRING") for name in sorted(extra)),
    ]


def _mode(feed: Feed, column: Column) -> str:
    if column.mode == "REPEATED":
        return column.mode
    return "REQUIRED" if column.name in feed.of_every_row else "NULLABLE"


def changes(there: Sequence[SchemaField], wanted: Sequence[SchemaField]) -> Changes:
    """From the columns of a table to those that a contract wants; a column that it does not want stays."""
    by_name = {field.name.lower(): field for field in there}
    known = [(by_name[one.name.lower()], one) for one in wanted if one.name.lower() in by_name]
    names = {one.name.lower() for one in wanted}
    return Changes(
        # BigQuery adds no column that is REQUIRED to a table that is there.
        [
            SchemaField(
                one.name,
                one.field_type,
                "REPEATED" if one.mode == "REPEATED" else "NULLABLE",
                description=one.description,
            )
            for one in wanted
            if one.name.lower() not in by_name
        ],
        [
            (new.name, standard(new))
            for old, new in known
            if standard(new) in _WIDER.get(standard(old), ()) and "REPEATED" not in (old.mode, new.mode)
        ],
        [
            *(new.name for old, new in known if old.mode == "REQUIRED" and new.mode != "REQUIRED"),
            *(old.name for old in there if old.mode == "REQUIRED" and old.name.lower() not in names),
        ],
        refusals=list(_refusals(known)),
    )


def changed(schema: Sequence[SchemaField], found: Changes) -> list[SchemaField]:
    """The columns of a table with those that are added, and those relaxed that are; to widen one takes a statement."""
    relaxed = {name.lower() for name in found.relaxed}
    kept = [
        SchemaField.from_api_repr({**one.to_api_repr(), "mode": "NULLABLE"}) if one.name.lower() in relaxed else one
        for one in schema
    ]
    return [*kept, *found.added]


def standard(field: SchemaField) -> str:
    """A column's type as GoogleSQL calls it; one that no contract may have by the name that it came with."""
    try:
        return type_named(field.field_type).name
    except ValueError:
        return str(field.field_type)


def _refusals(known: Sequence[tuple[SchemaField, SchemaField]]) -> Iterator[str]:
    for old, new in known:
        kind, wanted = standard(old), standard(new)
        if (old.mode == "REPEATED") != (new.mode == "REPEATED"):
            ours, theirs = (("an array of ", ""), ("", "an array of "))[old.mode == "REPEATED"]
            yield f"{new.name} is {ours}{wanted}, and {theirs}{kind} in the table"
        elif old.mode == "REPEATED" and kind != wanted:
            yield f"{new.name} is an array of {wanted}, and an array of {kind} in the table"
        elif kind != wanted and wanted not in _WIDER.get(kind, ()):
            yield f"{new.name} is {wanted}, and {kind} in the table"
