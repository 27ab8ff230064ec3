"""How actions stand: those that run, and those that ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dropmerge.operations.connection import Connection

_STATES = {"cancelled": "stopped", "held_back": "stopped"}
"""By the outcomes that have another name."""
SILENT_AFTER = timedelta(seconds=60)
"""Who carries an action out says something more often than that."""


@dataclass(frozen=True)
class RecordedAction:
    id: str
    kind: str
    who: str
    began_at: datetime
    count: int
    """How many dead letters it is about."""
    why: str | None
    last_word_at: datetime
    is_cancelled: bool
    """Whether somebody asked for its end."""
    is_ended: bool
    progress: Mapping[str, Any] = field(default_factory=dict)
    """Keys done, merged, came_back, moving; at its end also outcome, error, taken, held_back, over_replay_limit,
    came_back_ids, waits_as."""

    @property
    def state(self) -> str:
        """starting, running, silent; done, done_in_part, not_merged (none of them), stopped, failed."""
        if self.is_ended:
            outcome = str(self.progress.get("outcome"))
            return self._success if outcome == "done" else _STATES.get(outcome, outcome)
        if datetime.now(UTC) - self.last_word_at > SILENT_AFTER:
            return "silent"
        return "running" if self.progress else "starting"

    @property
    def _success(self) -> str:
        """Replayed is not merged: a file that came back needs somebody again."""
        merged = int(self.progress.get("merged", self.done))
        if merged == self.count:
            return "done"
        return "done_in_part" if merged or not self.done else "not_merged"

    @property
    def done(self) -> int:
        """How many dead letters it has replayed, discarded or taken back."""
        return int(self.progress.get("done") or 0)

    def as_json(self) -> dict[str, Any]:
        """All fields; times as RFC 3339."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "who": self.who,
            "why": self.why,
            "began_at": self.began_at.isoformat(),
            "last_word_at": self.last_word_at.isoformat(),
            "count": self.count,
            "is_cancelled": self.is_cancelled,
            **{"done": self.done, "merged": None, "came_back": None, "moving": None},
            **self.progress,
        }


def read_actions(connection: Connection, since: datetime, operation_id: str = "") -> Sequence[RecordedAction]:
    """Newest first; one where its id is given. One query."""
    parameters = {"since": ("TIMESTAMP", since), "id": ("STRING", operation_id)}
    return [
        RecordedAction(
            row["operation_id"],
            row["kind"],
            row["who"] or "",
            row["began_at"],
            row["letters"] or 0,
            row["why"],
            row["last_word_at"],
            row["is_cancelled"],
            row["is_ended"],
            json.loads(row["progress"] or "{}"),
        )
        for row in connection.query("operations.sql", parameters)
    ]
