"""The journal's events about one object generation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.console.connection import Connection

CLOCKS = timedelta(hours=1)
"""How far two machines' clocks are trusted to differ, at most."""
_YEAR_9999 = 253_000_000_000_000_000


def read_events(connection: Connection, bucket: str, name: str, generation: int) -> list[dict[str, Any]]:
    """In order of time: `{"at", "event", "service", "detail"}`; none where there is no journal."""
    rows = connection.rows(
        "SELECT `at`, event, service, detail FROM `ops.journal`"
        " WHERE bucket = @bucket AND object = @object AND generation = @generation AND `at` >= @since ORDER BY `at`",
        {
            "bucket": ("STRING", bucket),
            "object": ("STRING", name),
            "generation": ("INT64", generation),
            "since": ("TIMESTAMP", created(generation) - CLOCKS),
        },
    )
    return [read_event(row) for row in rows]


def created(generation: int) -> datetime:
    """When an object was made: a generation is that moment, in microseconds since 1970."""
    return datetime.fromtimestamp(min(generation, _YEAR_9999) / 1e6, UTC)


def read_event(row: Any) -> dict[str, Any]:
    return {
        "at": row["at"].isoformat(),
        "event": row["event"],
        "service": row["service"],
        "detail": json.loads(row["detail"] or "{}"),
    }
