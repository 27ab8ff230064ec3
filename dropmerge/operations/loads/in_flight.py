"""What is still on its way: objects that have not come to an end, and messages not acknowledged."""

from __future__ import annotations

import time
from dataclasses import replace

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import is_current, latest_dead_letters
from dropmerge.operations.loads.status import (
    LoadStatus,
    is_in_flight,
    list_landing_objects,
    load_statuses,
    messages_in_flight,
)

_LOOK_SECONDS = 30.0


class InFlight:
    """For one command, which may ask many times.

    Where Pub/Sub itself gave up, no event says so and only the dead letter tells. Letters are looked at when
    something seems to move and no message does, not on each question, and what they told is remembered.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._exhausted: dict[LoadStatus, str] = {}
        self._next_look = 0.0

    def snapshot(self) -> tuple[list[LoadStatus], int]:
        """Every live object, wherever it is, and the number of messages.

        Upstream is asked before downstream, so that nothing slips past between two questions.
        """
        blobs = list_landing_objects(self._connection)
        messages = messages_in_flight(self._connection)
        found = load_statuses(self._connection, blobs)
        if not messages:
            self._check_dead_letters([one for one in found if is_in_flight(one) and one not in self._exhausted])
        return [self._known(one) for one in found], messages

    def pending(self) -> tuple[list[LoadStatus], int]:
        """Those that have not come to an end, and the number of messages."""
        found, messages = self.snapshot()
        return [one for one in found if is_in_flight(one)], messages

    def _known(self, one: LoadStatus) -> LoadStatus:
        # One that has set out again is another, and so moving again.
        letter = self._exhausted.get(one)
        return replace(one, state="dead_lettered", dead_letter=letter) if letter else one

    def _check_dead_letters(self, moving: list[LoadStatus]) -> None:
        if not moving or time.monotonic() < self._next_look:
            return
        if not any(self._connection.undelivered(f"{service}-dead-letter") for service in SERVICES):
            return
        letters = latest_dead_letters(self._connection, {one.key for one in moving})
        # From the end of the look: meanwhile others, such as a replay, can have the letters.
        self._next_look = time.monotonic() + _LOOK_SECONDS
        for one in moving:
            letter = letters.get(one.key)
            if letter and is_current(letter.at, one.last_dispatched_at):
                self._exhausted[one] = letter.id
