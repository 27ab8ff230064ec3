"""The dead letters that wait, by feed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dropmerge.operations.backlog import waiting_dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.waiting import waiting
from services.shared.messages.dead_letter import DeadLetter

_LOOK_SECONDS = 30.0


@dataclass
class LetterGroup:
    """The waiting dead letters of one feed, or of none."""

    oldest: datetime
    example: str
    """The object of one of them; empty where none is known."""
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.reasons.total()

    def as_json(self) -> dict[str, Any]:
        return {
            "dead_letters_waiting": self.count,
            "reasons": dict(self.reasons),
            "oldest": self.oldest.isoformat(),
            "example": self.example,
        }


@dataclass(frozen=True)
class Letters:
    count: int
    """All that wait, by the subscriptions; there are more than in the groups while another command holds some."""
    groups: Mapping[str | None, LetterGroup]
    """By feed; None for letters that name no feed."""
    load_ids: frozenset[str]
    """Of the loads that they are about."""


class WaitingLetters:
    """For one command, which may ask many times: they are read again when their number has changed, or after half a
    minute."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known = Letters(0, {}, frozenset())
        self._next_look = 0.0

    def read(self) -> Letters:
        count = waiting_dead_letters(self._connection)
        if count == 0:
            self._known = Letters(0, {}, frozenset())
        elif count != self._known.count or time.monotonic() > self._next_look:
            self._known = read_waiting_letters(self._connection, count)
            self._next_look = time.monotonic() + _LOOK_SECONDS
        return self._known


def read_waiting_letters(connection: Connection, count: int) -> Letters:
    """Each once. `count`: how many wait, as the subscriptions say."""
    groups: dict[str | None, LetterGroup] = {}
    load_ids = set()
    with waiting(connection) as letters:
        for batch in letters.batches():
            for one in batch:
                _add(groups, one)
                load_ids.add(one.subject["load_id"] or "")
    return Letters(count, groups, frozenset(load_ids) - {""})


def _add(groups: dict[str | None, LetterGroup], one: DeadLetter) -> None:
    group = groups.setdefault(one.feed or None, LetterGroup(one.at, one.object or ""))
    group.reasons[one.reason] += 1
    group.oldest = min(group.oldest, one.at)
    group.example = group.example or one.object or ""
