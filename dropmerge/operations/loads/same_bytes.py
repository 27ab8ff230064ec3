"""Files that came more than once: other loads of the feed with the same bytes, as the journal has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.events import LoadEvent
from dropmerge.operations.loads.find_file import remembered_since
from dropmerge.operations.loads.status import merged_among
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

RULE = (
    "these bytes came before, and at equal versions the newer upload wins: "
    "rows of this file replace rows of the same version, and undo deletes of the same version"
)


@dataclass(frozen=True)
class SameBytes:
    source: ObjectGeneration
    merged_at: datetime | None
    """None where it is not merged."""

    def as_json(self) -> dict[str, str | None]:
        return {"source": str(self.source), "merged_at": self.merged_at.isoformat() if self.merged_at else None}


def find_same_bytes(connection: Connection, load: Load, events: Sequence[LoadEvent]) -> list[SameBytes]:
    """The first twenty of the last 90 days, oldest first; none where the journal does not know the file's MD5, as of
    composite objects."""
    md5 = next((event.detail["md5"] for event in events if "md5" in event.detail), None)
    if md5 is None:
        return []
    since = ("TIMESTAMP", remembered_since())
    rows = connection.query("same_bytes.sql", {"feed": ("STRING", load.feed), "md5": ("STRING", md5), "since": since})
    others = [row for row in rows if row["load_id"] != load.load_id]
    merged = merged_among(connection, [row["load_id"] for row in others]) if others else {}
    return [
        SameBytes(ObjectGeneration(row["bucket"], row["object"], row["generation"]), merged.get(row["load_id"]))
        for row in others
    ]
