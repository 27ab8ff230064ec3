"""Begins actions: records what was asked for, and starts who carries it out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from dropmerge.operations.actions.record import Action, begin, cancel, end, find_action
from dropmerge.operations.connection import Connection
from dropmerge.operations.describe_error import describe_error
from services.shared.journal import Event, Operation

Start = Callable[[str], None]
"""Starts a process that carries out the operation with this id. Raises NotDone."""
_SEEN_FOR = timedelta(minutes=10)


@dataclass
class _Known:
    """An operation that was asked for here."""

    since: datetime
    turn: threading.Lock = field(default_factory=threading.Lock)
    is_begun: bool = False


class Actions:
    def __init__(self, connect: Callable[[], Connection], start: Start) -> None:
        self._connect = connect
        self._start = start
        self._lock = threading.Lock()
        self._all: dict[str, _Known] = {}

    def begin(self, action: Action) -> None:
        """Once for each id: the second time is no error. Raises UsageError, NotDone."""
        action.check()
        known = self._known(action.id)
        # Who sends it again meanwhile waits: its page is there when both are answered.
        with known.turn:
            if known.is_begun:
                return
            connection = self._of(action.who, action.id)
            if find_action(connection, action.id) is None:
                begin(connection, action)
                self._carry_out(connection, action.id)
            known.is_begun = True

    def cancel(self, operation_id: str, who: str) -> None:
        """Ask for an operation's end. Raises NotDone."""
        cancel(self._of(who, operation_id))

    def record_values_shown(self, who: str, what: str) -> bool:
        """That somebody asked for rows' values; False where it cannot be recorded, and nothing is to be shown."""
        event = Event("values_shown", {"page": what})
        return self._of(who).journal.write([(event, {})])

    def _carry_out(self, connection: Connection, operation_id: str) -> None:
        try:
            self._start(operation_id)
        except Exception as error:
            end(connection, {"outcome": "failed", "done": 0, "error": describe_error(error) or type(error).__name__})
            raise

    def _known(self, operation_id: str) -> _Known:
        """What this process knows of it; what another has begun, the journal knows."""
        now = datetime.now(UTC)
        with self._lock:
            self._all = {id: one for id, one in self._all.items() if now - one.since < _SEEN_FOR}
            return self._all.setdefault(operation_id, _Known(now))

    def _of(self, who: str, operation_id: str | None = None) -> Connection:
        operation = Operation(who, operation_id) if operation_id else Operation(who)
        return replace(self._connect(), operation=operation)
