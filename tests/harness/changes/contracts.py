"""One feed under contracts that change: each a choice of what a contract may say, in the YAML's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

    def yaml(self, feed: str) -> dict[str, Any]:
        """The contract's mapping."""
        value = {"name": "value", "type": self.value, **({"check": self.check} if self.check else {})}
        note = [{"name": "note", "type": "STRING", "mode": self.note}] if self.note else []
        default = {"default": self.added} if self.added else {}
        added = [] if self.added is None else [{"name": "added", "type": "STRING", **default}]
        others = {} if self.others is None else {"others": list(self.others)}
        return {
            "feed": feed,
            "objects": f"incoming/{feed}/**",
            "format": {"type": "csv"},
            "table": f"main.{feed}",
            "key": ["id"],
            "version": "seq",
            "delete": {"column": "op", "equals": self.marker, **others},
            "columns": [{"name": "id", "type": "STRING"}, {"name": "seq", "type": "INT64"}, value, *note, *added],
            "unknown_columns": self.unknown,
            "missing_columns": self.missing,
            "bad_rows": {"at_most": self.at_most},
        }


HEADER = ("id", "seq", "value", "note", "added", "op")
"""All that a file of the feed may have."""
TEXTS: Mapping[str, tuple[str, ...]] = {
    "id": ("a", "b", "c"),
    "seq": ("1", "2", "3"),
    "value": ("1", "-2", "", "40", "7"),
    "note": ("x", "", "y", "late"),
    "added": ("p", "", "q"),
    "op": ("U", "D", "", "X"),
}
ODD: Mapping[str, tuple[str, ...]] = {"value": ("2.5", "x"), "seq": ("", "1.5"), "op": ("d",), "id": ("",)}
"""Texts that some contract refuses, or every one."""
