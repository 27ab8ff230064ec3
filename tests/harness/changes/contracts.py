"""One feed under contracts that change: each a choice of what a contract may say, in the YAML's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.harness.changes.notation import Column, Notation, options
from tests.harness.forms import Form

TYPES = ("INT64", "NUMERIC", "FLOAT64")
"""Of the column `value`, from the narrowest to the widest."""


@dataclass(frozen=True)
class Terms:
    """What differs from contract to contract of one feed; the key, the version and the table never do."""

    value: str = "INT64"
    check: str | None = None
    note: str | None = "NULLABLE"
    """The mode of the column; None where the contract has no such column."""
    added: str | None = None
    """The default of the column `added`, empty for none; None where the contract has no such column."""
    unknown: str = "reject"
    missing: str = "null"
    marker: str = "D"
    others: tuple[str, ...] | None = None
    at_most: str | int = 0
    form: Form = field(default_factory=Form)
    notation: Notation = field(default_factory=Notation)
    """Of all columns alike."""
    more: tuple[Column, ...] = ()
    """Further columns, the same in each contract of a feed."""
    mode: str = "upsert"
    """The same in each contract of a feed."""
    has_version: bool = True
    """Of upsert; without one the newest file wins. The same in each contract of a feed."""
    twice: str = "keep"

    @property
    def columns(self) -> list[Column]:
        """In the contract's order."""
        note = [Column("note", "STRING")] if self.note else []
        added = [] if self.added is None else [Column("added", "STRING")]
        return [Column("id", "STRING"), Column("seq", "INT64"), Column("value", self.value), *note, *self.more, *added]

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns that each row must have, a delete too."""
        return (
            () if self.mode == "append" else ("id", "seq") if self.has_version and self.mode == "upsert" else ("id",)
        )

    @property
    def has_delete(self) -> bool:
        return self.mode == "upsert"

    def yaml(self, feed: str) -> dict[str, Any]:
        """The contract's mapping."""
        said: dict[str, dict[str, Any]] = {one.name: options(one, self.notation) for one in self.columns}
        if self.check:
            said["value"]["check"] = self.check
        if self.note:
            said["note"]["mode"] = self.note
        if self.added:
            said["added"]["default"] = self.added
        others = {} if self.others is None else {"others": list(self.others)}
        own: dict[str, dict[str, Any]] = {
            "append": {"mode": "append"},
            "snapshot": {"mode": "snapshot", "key": ["id"], "twice": self.twice, "snapshot": {"at_least": 0}},
            "upsert": {
                "key": ["id"],
                "version": "seq" if self.has_version else "_generation",
                "twice": self.twice,
                "delete": {"column": "op", "equals": self.marker, **others},
            },
        }
        return {
            "feed": feed,
            "objects": f"incoming/{feed}/**",
            "format": {**self.form.yaml(), **self._texts()},
            "table": f"main.{feed}",
            **own[self.mode],
            "columns": list(said.values()),
            "unknown_columns": self.unknown,
            "missing_columns": self.missing,
            "bad_rows": {"at_most": self.at_most},
        }

    def _texts(self) -> dict[str, Any]:
        one = self.notation
        said = {"nulls": list(one.nulls), "trim": one.trim, "decimal": one.decimal, "group": one.group}
        return {name: value for name, value in said.items() if value}


HEADER = ("id", "seq", "value", "note", "added", "op")
"""All that a file of the feed may have."""
TEXTS: Mapping[str, tuple[str, ...]] = {
    "id": ("a", "b", "c"),
    "seq": ("1", "2", "3"),
    "value": ("1", "-2", "", "40", "7", "1234567"),
    "note": ("x", "", "ä", "5 €"),
    "added": ("p", "", "q"),
    "op": ("U", "D", "", "X"),
}
ODD: Mapping[str, tuple[str, ...]] = {"value": ("2.5", "x", "1,5"), "seq": ("", "1.5"), "op": ("d",), "id": ("",)}
"""Texts that some contract refuses, or every one."""
