"""How often a main table is merged at most, and how long a message may wait for that."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from services.merge.ledger import ledger_table
from services.merge.statement import MAX_LOADS
from services.merge.turns import Times, Turn
from services.shared.contract.feed import Feed
from services.shared.deadline import remaining
from services.shared.messages.push import PushMessage
from services.shared.messages.staged import MERGE_NOW
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)
_MERGE_SHARE = 2 / 9
"""Of the time of a delivery, which is kept for the MERGE: two minutes of nine."""
_ANSWER_SHARE = 1 / 54
"""Of it, which is kept for the answer: ten seconds."""
_SLOWER = 3
"""A MERGE may take so many times as long as the one before."""


def times(budget: float) -> Times:
    """Of a delivery that has just begun and may take so many seconds."""
    end = time.monotonic() + remaining(budget)
    return Times(end - budget * _MERGE_SHARE, end - budget * _ANSWER_SHARE)


def is_urgent(message: PushMessage) -> bool:
    """Whether somebody waits for this message: who replays a dead letter does."""
    return bool({MERGE_NOW, "replay_of"} & message.attributes.keys())


def wait_until_due(turn: Turn, feed: Feed, budget: float, age: Callable[[], float]) -> None:
    """Where the contract wants few MERGEs, wait with the turn, so that more loads come together.

    `age`: asks the ledger for the seconds since the last merge, where this process has made none.
    """
    now = time.monotonic()
    last = turn.merged_at if turn.merged_at is not None else now - age()
    least = max(budget * _MERGE_SHARE, _SLOWER * turn.merge_seconds)
    turn.linger(min(last + feed.merge_every, now + remaining(budget) - least), MAX_LOADS)


def seconds_since_merge(warehouse: Warehouse, project: str, feed: Feed, table_id: str) -> float:
    """By the ledger, for the main table of this id; without end where it has no load."""
    sql = _SQL.render("last_merge.sql", ledger=ledger_table(project), feed=feed.name, table_id=table_id)
    (found,) = warehouse.query(sql)
    return float("inf") if found["age"] is None else max(0.0, float(found["age"]))
