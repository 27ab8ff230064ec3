"""Why a main table has no row with a key, where no file that was looked into has one."""

from __future__ import annotations

from collections.abc import Sequence

from dropmerge.operations.connection import Connection
from dropmerge.operations.row_story.story import Piece
from services.shared.contract.feed import Feed


def why_missing(connection: Connection, feed: Feed, story: Sequence[Piece]) -> list[str]:
    """A sentence each."""
    if any(one.has_row for one in story):
        return []
    rows = connection.query("last_purge.sql", {"feed": ("STRING", feed.name)})
    before = rows[0]["before"] if rows else None
    found = []
    if before:
        moment = f"{before:%Y-%m-%d %H:%M:%S} UTC"
        found = [
            f"Tombstones merged before {moment} were purged: nothing is left of a row that was deleted before then."
        ]
    if feed.mode == "snapshot":
        found.append(f"{feed.table} has the rows of the newest file, and what it lacks of earlier ones as deleted.")
    doubtful = [one for one in story if one.is_open]
    others = f", but {len(doubtful)} could not be looked into" if doubtful else ""
    nothing = f"No file that dropmerge knows of has this key{others}."
    return [*found, nothing, "`dropmerge backfill` announces files whose notification was lost."]
