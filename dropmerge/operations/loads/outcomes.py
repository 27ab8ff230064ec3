"""What became of files, and waiting for it: of object generations that a command has just sent on their way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dropmerge.operations.backlog import messages_in_flight, waiting_dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import generation_of
from dropmerge.operations.dead_letters.waiting import waiting
from dropmerge.operations.loads.events import LoadEvent, is_current, last_events
from dropmerge.operations.loads.states import SETTLED_EVENTS, State
from dropmerge.operations.loads.status import LoadStatus, merged_among, statuses_of
from services.shared.generation import ObjectGeneration
from services.shared.messages.dead_letter import DeadLetter

_PAUSE_SECONDS = 0.3
_JOURNAL_SECONDS = 3.0
"""A service writes its events when its delivery ends, which may be after its file is merged."""
_FRESH = timedelta(seconds=10)
_FIRST_LOOK_SECONDS = 2.0
_LOOK_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """What became of one object generation, or where it still is."""

    source: ObjectGeneration
    state: State
    feed: str | None = None
    reason: str | None = None
    """Of its dead letter."""
    error: str | None = None
    dead_letter: str | None = None
    """Its id."""
    discarded: str | None = None
    """Why its dead letter was discarded, if it was."""
    rows: int | None = None
    """In the file, rejected ones among them; None where no check reached them, or the journal has lost its count."""
    rejected: int | None = None
    seconds: float | None = None
    """From when it was uploaded, or last announced or replayed, to its end."""

    @property
    def is_merged(self) -> bool:
        return self.state == State.MERGED

    @property
    def is_fine(self) -> bool:
        """Merged, or nobody wants it: no feed, or the person who discarded its dead letter."""
        return self.is_merged or self.state == State.IGNORED or self.discarded is not None

    def as_json(self) -> dict[str, Any]:
        """Without the object generation itself."""
        return {
            "state": self.state.value,
            "feed": self.feed,
            "reason": self.reason,
            "error": self.error,
            "dead_letter": self.dead_letter,
            "discarded": self.discarded,
            "rows": self.rows,
            "rejected_rows": self.rejected,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Sent:
    """What a command sent on its way."""

    source: ObjectGeneration
    """Generation 0 where the replayed dead letter does not say what it is about."""
    replayed: str | None = None
    """The id of the dead letter that was replayed, if it was sent so."""


Tell = Callable[[Sequence[Outcome]], None]
"""Is called with all outcomes, again and again, while one of them has not ended."""


def read_outcomes(connection: Connection, statuses: Sequence[LoadStatus]) -> list[Outcome]:
    """What is known of each of these, in their order."""
    if not statuses:
        return []
    latest = time.monotonic() + _JOURNAL_SECONDS
    while True:
        found = _read(connection, statuses)
        if not any(is_late for _, is_late in found) or time.monotonic() > latest:
            return [outcome for outcome, _ in found]
        time.sleep(_PAUSE_SECONDS)


def follow(connection: Connection, sent: Sequence[Sent], seconds: float, tell: Tell) -> list[Outcome]:
    """What became of each, in their order; after so many seconds, where each of the others still is."""
    deadline = time.monotonic() + seconds
    following = _Following(replace(connection, ends_at=deadline), sent)
    while True:
        outcomes = following.look()
        if all(outcome.state.is_terminal for outcome in outcomes) or time.monotonic() >= deadline:
            return outcomes
        tell(outcomes)
        time.sleep(_PAUSE_SECONDS)


class _Following:
    """What has ended once is not asked about again: another replay may have started it anew."""

    def __init__(self, connection: Connection, sent: Sequence[Sent]) -> None:
        self._connection = connection
        self._sent = sent
        self._replayed = {one.replayed for one in sent if one.replayed}
        self._ended: dict[Sent, Outcome] = {}
        self._next_look = time.monotonic() + _FIRST_LOOK_SECONDS

    def look(self) -> list[Outcome]:
        """Upstream is asked before downstream, so that nothing slips past between two questions."""
        messages = messages_in_flight(self._connection)
        open_ = [one for one in self._sent if one not in self._ended]
        known = {one.source for one in open_ if one.source.generation}
        statuses = {status.source: status for status in statuses_of(self._connection, known)}
        over = [status for status in statuses.values() if status.state.is_terminal]
        outcomes = {outcome.source: outcome for outcome in read_outcomes(self._connection, over)}
        for one in open_:
            outcome = outcomes.get(one.source)
            # A replay that the journal could not record leaves the old end there.
            if outcome and outcome.dead_letter not in self._replayed:
                self._ended[one] = outcome
        if not messages:
            self._look_among_dead_letters([one for one in open_ if one not in self._ended], statuses)
        return [self._ended.get(one) or _unended(one, statuses) for one in self._sent]

    def _look_among_dead_letters(
        self, pending: Sequence[Sent], statuses: Mapping[ObjectGeneration, LoadStatus]
    ) -> None:
        """No event reports what Pub/Sub gave up on, nor what a replayed dead letter without an object came back as."""
        if not pending or time.monotonic() < self._next_look or not waiting_dead_letters(self._connection):
            return
        replayed = {one.replayed: one for one in pending if one.replayed}
        dropped = {one.source: one for one in pending if not one.replayed}
        with waiting(self._connection) as letters:
            for letter in (letter for batch in letters.batches() for letter in batch):
                source = generation_of(letter)
                if letter.replay_of in replayed:
                    one = replayed[letter.replay_of]
                    self._ended[one] = _dead(letter, one)
                elif source in dropped and is_current(letter.at, statuses[source].last_dispatched_at):
                    self._ended[dropped[source]] = _dead(letter, dropped[source])
        self._next_look = time.monotonic() + _LOOK_SECONDS


def _dead(letter: DeadLetter, one: Sent) -> Outcome:
    return Outcome(one.source, State.DEAD_LETTERED, letter.feed, letter.reason, letter.error, letter.id)


def _unended(one: Sent, statuses: Mapping[ObjectGeneration, LoadStatus]) -> Outcome:
    status = statuses.get(one.source)
    if status is None:
        return Outcome(one.source, State.UNKNOWN)
    # The old end is still there: a replay whose record is missing.
    state = State.UNKNOWN if status.state.is_terminal else status.state
    return Outcome(one.source, state, status.feed)


def _read(connection: Connection, statuses: Sequence[LoadStatus]) -> list[tuple[Outcome, bool]]:
    """Each with whether the journal will soon know more of it."""
    events = last_events(connection, [status.source for status in statuses])
    ids = [status.load.load_id for status in statuses if status.state == State.MERGED and status.load]
    merged = merged_among(connection, ids) if ids else {}
    found = []
    for status in statuses:
        merged_at = merged.get(status.load.load_id) if status.load else None
        outcome = _outcome(status, events.get(status.source, {}), merged_at)
        is_fresh = merged_at is not None and datetime.now(UTC) - merged_at < _FRESH
        found.append((outcome, is_fresh and outcome.rows is None))
    return found


def _outcome(status: LoadStatus, events: Mapping[str, LoadEvent], merged_at: datetime | None) -> Outcome:
    found = Outcome(status.source, status.state, status.feed)
    sent = max((events[name].at for name in ("announced", "replayed") if name in events), default=status.created)
    if found.is_merged:
        checked = events["checked"].detail if "checked" in events else {}
        return replace(
            found,
            rows=checked.get("rows"),
            rejected=checked.get("rejected_rows"),
            seconds=_between(sent, merged_at),
        )
    if status.dead_letter:
        return replace(found, reason="delivery_attempts_exhausted", dead_letter=status.dead_letter)
    if status.state != State.DEAD_LETTERED:
        return found
    return _dead_lettered(found, events, sent, status.last_dispatched_at)


def _dead_lettered(
    found: Outcome, events: Mapping[str, LoadEvent], sent: datetime, last_dispatched_at: datetime | None
) -> Outcome:
    dead, settled = events.get("dead_lettered"), _settled(events, last_dispatched_at)
    if settled and settled.event == "discarded":
        detail = settled.detail
        why = detail.get("why", "")
        return replace(found, reason=detail.get("reason"), dead_letter=_id(settled), discarded=why)
    if dead:
        reason, error = dead.detail.get("reason"), dead.detail.get("error")
        found = replace(found, reason=reason, error=error, dead_letter=_id(dead), seconds=_between(sent, dead.at))
    if settled:
        detail = settled.detail
        found = replace(found, reason=detail.get("reason"), dead_letter=detail.get("undone_as"))
    return found


def _settled(events: Mapping[str, LoadEvent], last_dispatched_at: datetime | None) -> LoadEvent | None:
    """How a dead letter was given up last, or that this was undone; None if the load became another one since."""
    given_up = [events[name] for name in SETTLED_EVENTS if name in events]
    last = max(given_up, key=lambda event: (_written(event), event.at), default=None)
    dead = events.get("dead_lettered")
    if last is None or dead is None or _written(last) > dead.at or _id(last) == _id(dead):
        return last
    # Once a discard was undone, the dead letter has an id that the load's own event does not know.
    return last if "undone" in events and is_current(_written(last), last_dispatched_at) else None


def _id(event: LoadEvent) -> str | None:
    return event.detail.get("dead_letter_id")


def _written(settled: LoadEvent) -> datetime:
    """When the dead letter was written that was discarded, or taken back."""
    text = settled.detail.get("dead_lettered_at")
    return datetime.fromisoformat(text) if text else settled.at


def _between(sent: datetime, ended: datetime | None) -> float | None:
    """None also where it had ended before it was sent again."""
    return (ended - sent).total_seconds() if ended and ended >= sent else None
