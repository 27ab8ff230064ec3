"""`dropmerge explain --row`: why a row is as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropmerge.operations.connection import Connection
    from dropmerge.operations.loads.events import LoadEvent
    from dropmerge.operations.loads.history import LoadHistory


def explain_row(
    connection: Connection, feed: str | None, pairs: Sequence[str]
) -> tuple[Mapping[str, Any], Sequence[LoadEvent]]:
    """The row first, then the load that it came from."""
    from dropmerge.operations.loads.find_file import find_file
    from dropmerge.operations.loads.history import read_history
    from dropmerge.operations.loads.rows import read_row

    found = read_row(connection, connection.feed(feed), pairs)
    if found.row is None:
        nothing = {"load_id": None, "state": "unknown", "feed": found.feed, "row": None, "why": found.why}
        return {**nothing, "events": []}, []
    row = {"row": found.row, "deleted": found.deleted, "loses_to": found.loses_to}
    if found.origin is None:
        return {"load_id": None, "state": "merged", **row, "feed": found.feed, "why": found.why, "events": []}, []
    origin: LoadHistory = read_history(connection, find_file(connection, found.origin), with_jobs=True)
    why = {"why": found.why} if found.why else {}
    return {"load_id": None, "state": "unknown", **row, **origin.as_json(), **why}, origin.events
