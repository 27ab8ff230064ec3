"""Dead letters in the table that Pub/Sub writes them to: read without a lease, and after they have ended.

Pub/Sub writes each at least once (https://cloud.google.com/pubsub/docs/bigquery), some moments after it waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.ends import WAITING, End, LetterState, end_of, retention
from services.shared.messages.dead_letter import DeadLetter

_PAGE = 100
"""Rows in memory at once, each with its whole message: what more of them take, the console keeps."""
_KEPT = timedelta(days=400)
"""By services/shared/tables/dead_letter_messages.json."""


@dataclass(frozen=True)
class KeptMessage:
    """The columns that Pub/Sub writes."""

    message_id: str
    publish_time: datetime
    data: bytes
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class KeptLetter:
    letter: DeadLetter
    message: KeptMessage
    end: End
    undo_of: str | None
    """The discarded dead letter that waits again as this one."""
    waiting: int
    """How many dead letters wait in all, by table and journal."""


def kept_letters(
    connection: Connection, which: str = "all", ids: Iterable[str] = (), age: timedelta = _KEPT
) -> Iterator[KeptLetter]:
    """Each once, in no order, a page in memory. `which`: waiting, ended or all; `age`: not written before that time.

    Raises as `Warehouse`, and NoAnswer.
    """
    now = datetime.now(UTC)
    parameters = {
        "since": ("TIMESTAMP", now - age),
        "waiting_since": ("TIMESTAMP", now - retention(connection)),
        "which": ("STRING", which),
        "ids": ("STRING", ",".join(sorted(ids))),
    }
    services = {connection.topology.dead_letter_table_subscription(service): service for service in SERVICES}
    for row in connection.stream("kept_dead_letters.sql", parameters, _PAGE):
        service = services.get(row["subscription_name"].rpartition("/")[2])
        if service is not None:
            yield _kept_letter(connection, service, row)


def waiting_letters(connection: Connection, ids: Iterable[str] = ()) -> Iterator[KeptLetter]:
    """Those that wait, by table and journal."""
    return kept_letters(connection, "waiting", ids, retention(connection))


def _kept_letter(connection: Connection, service: str, row: Any) -> KeptLetter:
    attributes = json.loads(row["attributes"] or "{}")
    message = KeptMessage(row["message_id"], row["publish_time"], row["data"] or b"", attributes)
    letter = DeadLetter.decode(service, message, connection.feeds)
    return KeptLetter(letter, message, _end(connection, row), row["undo_of"], row["waiting"])


def _end(connection: Connection, row: Any) -> End:
    if row["is_waiting"]:
        return WAITING
    if row["event"] is None:
        return End(LetterState.EXPIRED, row["publish_time"] + retention(connection))
    return replace(end_of(row), came_back_as=row["came_back_as"], undone_as=row["undone_as"])
