"""Begins actions: records what was asked for, and starts who carries it out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dropmerge.operations.actions.record import Action, begin, cancel, end, find_action
from dropmerge.operations.connection import Connection
from dropmerge.operations.describe_error import describe_error
from services.shared.journal import Event, Operation

Start = Callable[[str], None]
"""Starts a process that carries out the operation with this id. Raises NotDone."""
_SEEN_FOR = timedelta(minutes=10)


class Actions:
    def __init__(self, connect: Callable[[], Connection], start: Start) -> None:
        self._connect = connect
        self._start = start
        self._lock = threading.Lock()
        self._begun: dict[str, datetime] = {}

    def begin(self, action: Action) -> None:
        """Once for each id: the second time is no error. Raises UsageError, NotDone."""
        action.check()
        if not self._is_first(action.id):
            return
        connection = self._of(action.who, action.id)
        try:
            if find_action(connection, action.id) is None:
                begin(connection, action)
                self._carry_out(connection, action.id)
        except Exception:
            # It may be sent again.
            self._begun.pop(action.id, None)
            raise

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

    def _is_first(self, operation_id: str) -> bool:
        """Whether this process has not begun it; what another has, the journal knows."""
        now = datetime.now(UTC)
        with self._lock:
            self._begun = {one: at for one, at in self._begun.items() if now - at < _SEEN_FOR}
            is_first = operation_id not in self._begun
            self._begun.setdefault(operation_id, now)
        return is_first

    def _of(self, who: str, operation_id: str | None = None) -> Connection:
        operation = Operation(who, operation_id) if operation_id else Operation(who)
        return replace(self._connect(), operation=operation)
