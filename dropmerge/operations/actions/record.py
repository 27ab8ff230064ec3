"""What was asked for, word by word in the journal: an action that began, how far it is, that it ended."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone, UsageError

BEGAN, MOVED, CANCELLED, ENDED = "operation_began", "operation_moved", "operation_cancelled", "operation_ended"
OPERATION_ID = re.compile(r"[0-9a-f]{12}")
MOST_LETTERS = 10_000
"""Of one action: they are named in one event."""
_REMEMBERED = timedelta(days=45)


class Kind(StrEnum):
    REPLAY = "replay"
    DISCARD = "discard"
    UNDO = "undo"


@dataclass(frozen=True)
class Action:
    """On these dead letters and no others."""

    id: str
    kind: Kind
    letters: Sequence[str]
    """By their ids: those that the person has seen."""
    who: str
    why: str = ""
    canary: int | None = None
    """How many to replay before the others; None for all at once."""
    rate: float | None = None
    """Messages per second, at most."""
    force: bool = False
    """Whether to replay what was replayed too often, too."""

    def check(self) -> None:
        """Raises UsageError for what cannot be asked for."""
        if not OPERATION_ID.fullmatch(self.id):
            raise UsageError("an operation's id is 12 hexadecimal digits")
        if not self.letters:
            raise UsageError("no dead letter is chosen")
        if len(self.letters) > MOST_LETTERS:
            raise UsageError(
                f"at most {MOST_LETTERS:,} dead letters at once: narrow them down, or take the oldest first"
            )
        if any(not re.fullmatch(r"[\w-]{1,64}", one) for one in self.letters):
            raise UsageError("a dead letter's id has letters, digits, - and _ only")
        if self.kind == Kind.DISCARD and not self.why.strip():
            raise UsageError("to discard takes a reason: the journal keeps it")

    def as_detail(self) -> dict[str, Any]:
        """Of the event."""
        return {
            "kind": self.kind.value,
            "letters": list(self.letters),
            "count": len(self.letters),
            "why": self.why or None,
            "canary": self.canary,
            "rate": self.rate,
            "force": self.force,
        }


def begin(connection: Connection, action: Action) -> None:
    """Record it, before anything is done. `connection`: with the action's own operation. Raises NotDone."""
    if not _write(connection, BEGAN, action.as_detail()):
        raise NotDone("the journal cannot be written, so nothing was begun; try again")


def move(connection: Connection, detail: Mapping[str, Any]) -> None:
    """Record how far it is. What cannot be written is left out."""
    _write(connection, MOVED, detail)


def end(connection: Connection, detail: Mapping[str, Any]) -> None:
    """Record how it ended: outcome (done, cancelled, failed), and what was done."""
    _write(connection, ENDED, detail)


def cancel(connection: Connection) -> None:
    """Ask for its end: what is done stays done. `connection`: with the operation's id. Raises NotDone."""
    if not _write(connection, CANCELLED, {}):
        raise NotDone("the journal cannot be written, so it goes on; try again")


def find_action(connection: Connection, operation_id: str) -> Action | None:
    """What was asked for under this id; None where nothing was."""
    rows = connection.query("operation_began.sql", _of(operation_id))
    if not rows:
        return None
    detail = json.loads(rows[0]["detail"])
    return Action(
        operation_id,
        Kind(detail["kind"]),
        detail["letters"],
        rows[0]["who"] or "",
        detail.get("why") or "",
        detail.get("canary"),
        detail.get("rate"),
        bool(detail.get("force")),
    )


def is_cancelled(connection: Connection, operation_id: str) -> bool:
    """Whether somebody asked for its end."""
    return bool(connection.query("operation_cancelled.sql", _of(operation_id)))


def _of(operation_id: str) -> dict[str, tuple[str, Any]]:
    return {"id": ("STRING", operation_id), "since": ("TIMESTAMP", datetime.now(UTC) - _REMEMBERED)}


def _write(connection: Connection, event: str, detail: Mapping[str, Any]) -> bool:
    from services.shared.journal import Event

    return connection.journal.write([(Event(event, detail), {})])
