"""Counts of each feed since the beginning. To have them takes reading the whole journal and ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.status import LoadStatus


@dataclass(frozen=True)
class FeedTotals:
    merged: int
    merged_last_hour: int
    merged_last_day: int
    superseded: int
    lost_in_file: int
    """Rows of merged files that lost to another row of their own file with the same key."""
    dead_letters: int
    """Ever, those that were replayed or discarded too."""


def read_totals(connection: Connection, loads: Sequence[LoadStatus]) -> dict[str, FeedTotals]:
    """By feed. Three queries, whatever the number of feeds."""
    merged = {row["feed"]: dict(row) for row in connection.ledger("count_merged.sql")}
    ended = {(row["feed"], row["event"]): row["n"] for row in connection.query("count_ended.sql")}
    lost = {row["feed"]: row["n"] for row in connection.ledger("count_lost.sql")}
    found = {}
    for name in connection.feeds:
        counts = merged.get(name, {})
        exhausted = sum(load.feed == name and load.dead_letter is not None for load in loads)
        found[name] = FeedTotals(
            merged=counts.get("merged", 0),
            merged_last_hour=counts.get("last_hour", 0),
            merged_last_day=counts.get("last_day", 0),
            superseded=ended.get((name, "superseded"), 0),
            lost_in_file=lost.get(name, 0),
            dead_letters=ended.get((name, "dead_lettered"), 0) + exhausted,
        )
    return found
