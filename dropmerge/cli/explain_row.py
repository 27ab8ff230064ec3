"""`dropmerge explain --row`: the story of a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from dropmerge.cli.terminal import escape_unprintable, shorten_list

if TYPE_CHECKING:
    from dropmerge.operations.connection import Connection
    from dropmerge.operations.loads.history import LoadHistory
    from dropmerge.operations.row_story.key import Key
    from dropmerge.operations.row_story.row import RowHistory
    from dropmerge.operations.row_story.story import Piece

_EXPLAINS = ("newer", "older", "found", "rejected", "possible")


@dataclass(frozen=True)
class ExplainedRow:
    key: Key
    found: RowHistory
    origin: LoadHistory | None
    """Of the file that the row is of; None where there is no row, or no file."""
    story: Sequence[Piece]
    general: Sequence[str]
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

    def as_json(self) -> dict[str, Any]:
        """Keys load_id, state, feed, row, deleted, loses_to, why, events and story; of a row's file also what is known
        of that."""
        found = self.found
        row = {"row": found.row, "deleted": found.deleted, "loses_to": found.loses_to} if found.row else {"row": None}
        why = {"why": found.why} if found.why else {}
        origin = self.origin.as_json() if self.origin else {"load_id": None, "state": self.state, "events": []}
        return {**row, "feed": found.feed, **origin, **why, "story": [one.as_json() for one in self.story]}


def explain_row(
    connection: Connection, feed: str | None, pairs: Sequence[str], file: str | None = None
) -> ExplainedRow:
    """`file`: the only one to look into, beside the main table."""
    from dropmerge.operations.loads.find_file import find_file
    from dropmerge.operations.loads.history import read_history
    from dropmerge.operations.row_story.key import read_key
    from dropmerge.operations.row_story.missing import why_missing
    from dropmerge.operations.row_story.row import read_row
    from dropmerge.operations.row_story.rule import rule_of
    from dropmerge.operations.row_story.story import command, feed_of_file, tell_of_file, tell_story

    wanted = feed_of_file(connection, file) if file and feed is None else None
    key = read_key(wanted or connection.feed(feed), pairs)
    found = read_row(connection, key)
    story = tell_of_file(connection, key, file) if file else tell_story(connection, key)
    general: Sequence[str] = ()
    if found.row is None:
        general = why_missing(connection, key.feed, story) if file is None else ()
    elif not any(one.verdict in _EXPLAINS for one in story):
        general = rule_of(key.feed, found.row)
    origin = read_history(connection, find_file(connection, found.origin), with_jobs=True) if found.origin else None
    return ExplainedRow(key, found, origin, story, general, None if file else command(key, "FILE"))


def print_row(one: ExplainedRow) -> None:
    """The row first, then what else is known of its key."""
    for line in _lines(one):
        typer.echo(escape_unprintable(line))


def _lines(one: ExplainedRow) -> list[str]:
    head = "also known of this key, newest first:" if one.found.row else "known of this key, newest first:"
    lines = [*_of_row(one), *_section(head, [piece for piece in one.story if piece.has_row])]
    lines += _section("may have this key:", [piece for piece in one.story if not piece.has_row and piece.is_open])
    lines += _section(
        "do not have this key:", [piece for piece in one.story if not piece.has_row and not piece.is_open]
    )
    if one.general:
        lines += ["in general:" if one.found.row else "so:", *(f"  {sentence}" for sentence in one.general)]
    return lines + _next(one)


def _section(head: str, pieces: Sequence[Piece]) -> list[str]:
    lines = [f"  {piece.sentence}" for piece in pieces]
    return [head, *shorten_list(lines)] if lines else []


def _of_row(one: ExplainedRow) -> list[str]:
    found, table = one.found, one.key.feed.table
    if found.row is None:
        return [f"{one.key.words}: {found.why}"]
    what = "deleted" if found.deleted else "this row"
    lines = [f"{one.key.words}: {what} in {table}" if found.deleted else f"{one.key.words}: {table} has {what}"]
    lines += [f"  {name}: {value}" for name, value in found.row.items() if value is not None]
    if one.origin:
        merge = one.origin.merge
        when = f", merged {merge.merged_at:%Y-%m-%d %H:%M:%S} UTC" if merge else ""
        load = f", load {one.origin.load.load_id}" if one.origin.load else ""
        lines.append(f"from {one.origin.source}{when}{load}")
    sent_again: Mapping[str, Any] = one.origin.as_json() if one.origin and one.origin.is_sent_again else {}
    return lines + [text for text in (found.why, sent_again.get("sent_again")) if text]


def _next(one: ExplainedRow) -> list[str]:
    lines = [f"  dropmerge explain '{one.origin.source}'"] if one.origin else []
    letters = dict.fromkeys(piece.dead_letter for piece in one.story if piece.dead_letter and piece.has_row)
    lines += [f"  dropmerge dead-letters show {letter}" for letter in letters]
    lines += [f"  {one.command}"] if one.command else []
    return ["next:", *lines] if lines else []
