"""Where a load stands, and the events that say so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from services.shared.load import Load, staging_prefix


class State(StrEnum):
    """Each with a sentence for people."""

    ARRIVED = "arrived", "A service has received its notification."
    PINNED = "pinned", "Its bytes are copied to the archive bucket."
    LOADED = "loaded", "Its raw rows are in the warehouse and are being checked."
    STAGED = "staged", "Its good rows are waiting for their MERGE."
    MERGED = "merged", "Its rows are in the main table."
    DEAD_LETTERED = "dead_lettered", "It failed for good; a dead letter says why."
    SUPERSEDED = "superseded", "Its object was overwritten before it could be read."
    IGNORED = "ignored", "No feed wants it, or its name is one to ignore."
    UNKNOWN = "unknown", "Nothing is known of it."

    sentence: str

    def __new__(cls, value: str, sentence: str) -> State:
        """Its value is the word that `--json` has."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens unless somebody acts."""
        return self in (State.MERGED, State.DEAD_LETTERED, State.SUPERSEDED, State.IGNORED)


DISPATCH_EVENTS = ("arrived", "announced", "replayed")
"""Journal events that put a load on its way, whatever was before."""


SETTLED_EVENTS = ("discarded", "undone")
"""Journal events about a dead letter that was discarded, or taken back: its load stays dead-lettered."""

FAILED = "failed"
"""The journal's event of a delivery that failed for now. It decides nothing: Pub/Sub delivers again."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one object generation. What costs a request is asked for only where it decides."""

    is_merged: bool
    """By the ledger: nothing else says so."""
    events: Iterable[str] = ()
    """Of the journal, in order, without discarded dead letters that are older than the load's last dispatch."""
    is_served: bool = False
    """Whether a service, and not only a command, has recorded an event."""
    load: Load | None = None
    """None where no feed ever wanted the object."""
    tables: Callable[[], Collection[str]] = field(default=lambda: ())
    """Names of the staging dataset's tables."""
    is_pinned: Callable[[], bool] = field(default=lambda: False)
    is_unwanted: bool = False
    """Whether no feed wants it and none has to, or its name is one to ignore."""
    is_overwritten: Callable[[], bool] = field(default=lambda: False)


def state_of(evidence: Evidence) -> State:
    """Tables and objects say what they can; the journal adds what has no other trace, and may be lost."""
    if evidence.is_merged:
        return State.MERGED
    final = _final_state(evidence.events)
    if final:
        return final
    if _has_table(evidence, lambda load: f"{staging_prefix(load.feed)}{load.load_id}"):
        return State.STAGED
    if _has_table(evidence, lambda load: load.raw_table("")) or _has_table(
        evidence, lambda load: load.checked_table("")
    ):
        return State.LOADED
    if evidence.is_pinned():
        return State.PINNED
    if evidence.is_served:
        return State.ARRIVED
    if evidence.is_unwanted:
        return State.IGNORED
    return State.SUPERSEDED if evidence.is_overwritten() else State.UNKNOWN


def _has_table(evidence: Evidence, prefix: Callable[[Load], str]) -> bool:
    """Whichever contract the load was read by, which ends the table's name."""
    return evidence.load is not None and any(name.startswith(prefix(evidence.load)) for name in evidence.tables())


def _final_state(events: Iterable[str]) -> State | None:
    """The last event; `discarded` and `undone` count as dead_lettered unless a final state came before."""
    last = ""
    for event in events:
        if event == FAILED:
            continue
        if event not in SETTLED_EVENTS:
            last = event
        elif last not in _TERMINAL:
            last = State.DEAD_LETTERED.value
    found = _TERMINAL.get(last)
    # Only the ledger says merged.
    return None if found == State.MERGED else found


_TERMINAL = {state.value: state for state in State if state.is_terminal}
