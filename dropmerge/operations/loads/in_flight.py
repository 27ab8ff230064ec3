"""What is still on its way: loads that are not in a final state, and messages not acknowledged."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dropmerge.operations.backlog import messages_in_flight, waiting_dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import generation_of, latest_dead_letters
from dropmerge.operations.loads.events import is_current
from dropmerge.operations.loads.landing import Landing
from dropmerge.operations.loads.states import State
from dropmerge.operations.loads.status import LoadStatus, unended_loads

WINDOW = timedelta(days=2)
"""How far back the journal is read: longer than Pub/Sub goes on with a message, by the policies of the topology."""
_LOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Snapshot:
    loads: list[LoadStatus]
    """Those that have not ended, by the journal of the last days and the young objects of the landing bucket; of the
    others each feed's newest, at least."""
    messages: int
    """On their way to a service, or being worked on."""
    is_whole: bool = True
    """Whether every object under the landing prefix was looked at; otherwise one may be on its way that has no event
    in the journal yet."""

    @property
    def pending(self) -> list[LoadStatus]:
        """Those that are in flight."""
        return [load for load in self.loads if load.is_in_flight]

    @property
    def is_idle(self) -> bool:
        return not self.messages and not self.pending


class InFlight:
    """For one command, which may ask many times.

    Where Pub/Sub itself gave up, no event says so and only the dead letter does. Dead letters are read when a load
    seems to be in flight and no message is, not on each question, and what they said is remembered.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._landing = Landing(connection)
        self._exhausted: dict[LoadStatus, str] = {}
        self._next_look = 0.0

    def snapshot(self) -> Snapshot:
        """Upstream is asked before downstream, so that nothing slips past between two questions."""
        listed = self._landing.list_young()
        messages = messages_in_flight(self._connection)
        found = unended_loads(self._connection, datetime.now(UTC) - WINDOW, listed)
        if not messages:
            self._check_dead_letters([one for one in found if one.is_in_flight and one not in self._exhausted])
        return Snapshot([self._known(one) for one in found], messages, listed.is_whole)

    def _known(self, one: LoadStatus) -> LoadStatus:
        # A load that was dispatched again compares unequal (last_dispatched_at differs), so it is in flight again.
        dead_letter = self._exhausted.get(one)
        return replace(one, state=State.DEAD_LETTERED, dead_letter=dead_letter) if dead_letter else one

    def _check_dead_letters(self, pending: list[LoadStatus]) -> None:
        if not pending or time.monotonic() < self._next_look or not waiting_dead_letters(self._connection):
            return
        sources = {one.source for one in pending}
        found = latest_dead_letters(self._connection, lambda one: generation_of(one) in sources)
        # From the end of the look: meanwhile others, such as a replay, can lease the dead letters.
        self._next_look = time.monotonic() + _LOOK_SECONDS
        for one in pending:
            dead_letter = found.get(one.source)
            if dead_letter and is_current(dead_letter.at, one.last_dispatched_at):
                self._exhausted[one] = dead_letter.id
