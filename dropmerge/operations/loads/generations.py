"""What became of the other generations of an object: a file that was sent again is another load."""

from __future__ import annotations

from dataclasses import dataclass

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.find_file import remembered_since
from dropmerge.operations.loads.status import merged_among
from services.shared.generation import ObjectGeneration


@dataclass(frozen=True)
class Generation:
    source: ObjectGeneration
    last: str
    """Its last event; `merged` if the ledger says so."""

    def as_json(self) -> dict[str, str | int]:
        """Keys generation, created, last."""
        created = self.source.created.isoformat()
        return {"generation": self.source.generation, "created": created, "last": self.last}


def other_generations(connection: Connection, source: ObjectGeneration) -> list[Generation]:
    """Newest first, at most twenty, of the last 90 days."""
    parameters = {
        "bucket": ("STRING", source.bucket),
        "object": ("STRING", source.name),
        "generation": ("INT64", source.generation),
        "since": ("TIMESTAMP", remembered_since()),
    }
    rows = connection.query("other_generations.sql", parameters)
    ids = [row["load_id"] for row in rows if row["load_id"]]
    merged = merged_among(connection, ids) if ids else {}
    return [
        Generation(
            ObjectGeneration(source.bucket, source.name, row["generation"]),
            "merged" if row["load_id"] in merged else row["event"],
        )
        for row in rows
    ]
