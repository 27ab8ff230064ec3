"""How the files of rejected rows ended: what to do with the rows depends on it."""

from __future__ import annotations

from collections.abc import Sequence

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.history import LoadHistory, read_history
from dropmerge.operations.loads.status import merged_among
from services.shared.load import Load


def merged_of(connection: Connection, loads: Sequence[Load]) -> set[str]:
    """The ids of those that are merged: of their files the rejected rows are all that is not in the main table."""
    return set(merged_among(connection, [load.load_id for load in loads]))


def history_of(connection: Connection, load: Load) -> LoadHistory:
    """For one that is not merged: of a dead-lettered file the good rows are not in the main table either."""
    return read_history(connection, load.source)
