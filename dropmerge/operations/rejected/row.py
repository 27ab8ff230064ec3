"""A row that failed its checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.shared.contract.formats import LINE
from services.shared.contract.order import RESCUED
from services.shared.load import Load

COLUMNS = ("feed", "bucket", "object", "generation", "row", "reasons", "load_id", "record", "line", "faults")
"""The keys of a row as JSON."""


@dataclass(frozen=True)
class Fault:
    reason: str
    column: str | None
    """None where the reason is the whole record's."""
    value: str | None
    """As it was; None where the record has none."""


@dataclass(frozen=True)
class RejectedRow:
    load: Load
    row_text: str
    """JSON: the contract's columns, the delete marker's where the feed has one, what the feed rescues or adds, and of
    NDJSON the line as `_line`. Empty fields and null markers are null."""
    reasons: Sequence[str]
    """Each a word and a column."""
    record: int | None = None
    """Its number in the file, from 1; neither a header nor blank lines count. None where it is not found there."""
    line: int | None = None
    """The line of the file that it begins on, from 1; None where the file has no lines."""

    @property
    def row(self) -> dict[str, str | None]:
        """The row as it was, by name."""
        row: dict[str, Any] = json.loads(self.row_text)
        return row | {name: _text(value) for name, value in (row.pop(RESCUED.name, None) or {}).items()}

    @property
    def faults(self) -> list[Fault]:
        """Each reason with the value that it is about."""
        row = self.row
        return [_fault(reason, row) for reason in self.reasons]

    def without_values(self) -> dict[str, Any]:
        """As `as_json`, with null for each value of the row."""
        whole = self.as_json()
        faults = [{**one, "value": None} for one in whole["faults"]]
        return {**whole, "row": dict.fromkeys(whole["row"]), "faults": faults}

    def as_json(self) -> dict[str, Any]:
        """Keys as in `COLUMNS`."""
        faults = [{"reason": one.reason, "column": one.column, "value": one.value} for one in self.faults]
        known = {"feed": self.load.feed, **self.load.source.fields, "row": self.row, "reasons": list(self.reasons)}
        place = {"load_id": self.load.load_id, "record": self.record, "line": self.line}
        return {**known, **place, "faults": faults}


def _text(value: Any) -> str | None:
    """What was rescued of NDJSON need not be a text."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fault(text: str, row: Mapping[str, str | None]) -> Fault:
    reason, _, column = text.partition(": ")
    return Fault(reason, column or None, row.get(column) if column else row.get(LINE))
