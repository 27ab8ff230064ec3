"""Who did what, when and why: what commands recorded in the journal, by their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.texts import field_names

_COUNTED: dict[str, tuple[str, str]] = {
    "replayed": ("dead letter", "dead letters"),
    "discarded": ("dead letter", "dead letters"),
    "undone": ("discard", "discards"),
    "announced": ("file", "files"),
    "rejected_rows_done": ("row", "rows"),
    "resubmitted": ("row", "rows"),
    "adopted": ("row", "rows"),
    "rebuilt": ("file", "files"),
    "purged": ("tombstone", "tombstones"),
    "values_shown": ("time", "times"),
}
"""What each event is about, one and many. Of an event that is not here, events are counted."""


_ASKED = "operation_"
"""How the events begin that say what was asked for, and why; what was done has events of its own."""


@dataclass(frozen=True)
class Operation:
    """One run of a command."""

    happened_at: datetime
    """When it began to change something."""
    who: str | None
    """None where an earlier release did not record it."""
    events: Mapping[str, int]
    """Kinds of event, and to how many."""
    feeds: str | None
    why: str | None
    reasons: str | None
    """Of the dead letters."""
    object: str | None
    """One of those that it was about."""
    operation_id: str | None
    """None where an earlier release recorded it."""

    @property
    def what(self) -> str:
        """Replayed 3 dead letters, announced 1 file."""
        if not self.events:
            return "asked for something that had been done"
        return ", ".join(f"{event.replace('_', ' ')} {_count(event, n)}" for event, n in self.events.items())

    @property
    def others(self) -> int:
        """How many it was about beside the one that is named."""
        return max(0, max(self.events.values(), default=1) - 1)

    def as_json(self) -> dict[str, Any]:
        """All fields, the time as RFC 3339."""
        return {**asdict(self), "happened_at": self.happened_at.isoformat()}


COLUMNS = field_names(Operation)


def read_audit(connection: Connection, since: datetime) -> list[Operation]:
    """Every run of a command that changed something, oldest first."""
    runs: dict[object, list[Any]] = {}
    for number, row in enumerate(connection.query("audit.sql", {"since": ("TIMESTAMP", since)})):
        runs.setdefault(row["operation_id"] or number, []).append(row)
    return [_operation(rows) for rows in runs.values()]


def _operation(rows: Sequence[Any]) -> Operation:
    def first(name: str) -> Any:
        return next((row[name] for row in rows if row[name] is not None), None)

    return Operation(
        rows[0]["happened_at"],
        first("who"),
        {row["event"]: row["n"] for row in rows if not row["event"].startswith(_ASKED)},
        first("feeds"),
        first("why"),
        first("reasons"),
        first("object"),
        first("operation_id"),
    )


def _count(event: str, number: int) -> str:
    one, many = _COUNTED.get(event, ("event", "events"))
    return f"{number} {one if number == 1 else many}"
