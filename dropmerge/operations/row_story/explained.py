"""All that is known of a key: its row, the file that the row is of, and what else has the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.find_file import find_file
from dropmerge.operations.loads.history import LoadHistory, read_history
from dropmerge.operations.row_story.key import Key, read_key
from dropmerge.operations.row_story.missing import why_missing
from dropmerge.operations.row_story.row import RowHistory, read_row
from dropmerge.operations.row_story.rule import rule_of
from dropmerge.operations.row_story.story import Piece, command, feed_of_file, tell_of_file, tell_story
from dropmerge.operations.row_story.wording import Wording, say

_EXPLAINS = ("newer", "older", "found", "rejected", "possible")


@dataclass(frozen=True)
class ExplainedRow:
    key: Key
    found: RowHistory
    origin: LoadHistory | None
    """Of the file that the row is of; None where there is no row, or no file."""
    story: Sequence[Piece]
    general: Sequence[Wording]
    """What to say where nothing of the story explains it, a sentence each."""
    command: str | None
    """What to type to look into another file."""

    @property
    def state(self) -> str:
        if self.origin:
            return self.origin.state.value
        if self.found.row is not None:
            return "merged"
        return next((one.state for one in self.story if one.has_row), "unknown")

    @property
    def is_known(self) -> bool:
        """Whether the key was found anywhere."""
        return self.found.row is not None or any(one.has_row for one in self.story)

    def row(self, has_values: bool) -> Mapping[str, str | None] | None:
        """The row, without values all but its key; None where there is none."""
        row = self.found.row
        if row is None or has_values:
            return row
        return {name: text if name in self.key.texts else None for name, text in row.items()}

    def as_json(self, has_values: bool) -> dict[str, Any]:
        """Keys load_id, state, feed, row, deleted, loses_to, why, events and story; of a row's file also what is known
        of that. Without values, those of the row are null, and hidden in sentences."""
        found = self.found
        loses_to = [one.shown(has_values) for one in found.loses_to]
        is_there = {"deleted": found.deleted, "loses_to": loses_to} if found.row else {}
        row = {"row": self.row(has_values), **is_there}
        why = {"why": found.why} if found.why else {}
        origin = self.origin.as_json() if self.origin else {"load_id": None, "state": self.state, "events": []}
        return {**row, "feed": found.feed, **origin, **why, "story": [one.as_json(has_values) for one in self.story]}


def explain_row(
    connection: Connection, feed: str | None, pairs: Sequence[str], file: str | None = None
) -> ExplainedRow:
    """`file`: the only one to look into, beside the main table. Raises UsageError, NotDone."""
    wanted = feed_of_file(connection, file) if file and feed is None else None
    key = read_key(wanted or connection.feed(feed), pairs)
    found = read_row(connection, key)
    story = tell_of_file(connection, key, file) if file else tell_story(connection, key)
    general: Sequence[Wording] = ()
    if found.row is None:
        general = [say("{}", one) for one in why_missing(connection, key.feed, story)] if file is None else ()
    elif not any(one.verdict in _EXPLAINS for one in story):
        general = rule_of(key.feed, found.row)
    origin = read_history(connection, find_file(connection, found.origin), with_jobs=True) if found.origin else None
    return ExplainedRow(key, found, origin, story, general, None if file else command(key, "FILE"))
