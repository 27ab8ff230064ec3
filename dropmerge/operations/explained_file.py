"""All that is known of a file: its history, what holds it up, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.find_file import find_file
from dropmerge.operations.loads.history import LoadHistory, read_history
from dropmerge.operations.loads.next_steps import Step, next_steps
from dropmerge.operations.loads.states import State
from dropmerge.operations.status.failures import Stuck, stuck


@dataclass(frozen=True)
class ExplainedFile:
    history: LoadHistory
    held_up: Stuck | None
    """Of a file that is on its way; where none is, nothing holds it up."""
    steps: Sequence[Step]

    def as_json(self) -> dict[str, Any]:
        """Those of the history, stuck and next."""
        held = {"stuck": self.held_up.as_json()} if self.held_up else {}
        steps = [{"command": step.command, "why": step.why} for step in self.steps]
        return {**self.history.as_json(), **held, "next": steps}


def explain_file(connection: Connection, typed: str) -> ExplainedFile:
    """`typed`: any of the file's names. Raises UsageError where it fits none, or several."""
    history = read_history(connection, find_file(connection, typed), with_jobs=True)
    is_on_its_way = bool(history.source.generation) and not (
        history.state.is_terminal or history.state == State.UNKNOWN
    )
    held_up = stuck(connection, history.source, history.events) if is_on_its_way else None
    return ExplainedFile(history, held_up, list(next_steps(history, typed)))
