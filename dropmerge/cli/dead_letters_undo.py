"""`dropmerge dead-letters undo`: takes discards back."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.completion import complete_discarded
from dropmerge.cli.dead_letter_words import end_words, ended_line
from dropmerge.cli.exit_codes import abort, report_errors
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    Feeds,
    Json,
    Project,
    State,
    Yes,
)
from dropmerge.cli.terminal import confirm, escape_unprintable, pluralize, shorten_list
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.ends import End, LetterState
from dropmerge.operations.dead_letters.kept import KeptLetter
from dropmerge.operations.dead_letters.naming import find_discarded
from dropmerge.operations.dead_letters.undo import find_undoable, undo


def undo_discards(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="ID",
            autocompletion=complete_discarded,
            help="The discarded letters, each by its id or by its file.",
        ),
    ],
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Take discards back: the dead letters are waiting again, each as it was, under a new id.

    All or none: if one of them was not discarded, or is already waiting again, nothing is done and the exit code is 1.
    """
    require_confirmation("undo", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        ids = [find_discarded(connection, one) for one in named]
        letters = _undoable(connection, ids)
        if not (yes or dry_run):
            for line in shorten_list([ended_line(one.letter, one.end) for one in letters]):
                typer.echo(line, err=True)
            confirm(f"take back {pluralize(len(letters), 'discard')}?")
            letters = _undoable(connection, ids)
        new = {} if dry_run else {one.id: one.waits_as for one in undo(connection, letters)}
    if as_json:
        typer.echo(json.dumps([{"id": one.letter.id, "waits_as": new.get(one.letter.id)} for one in letters]))
        return
    for one in letters:
        old = one.letter.id
        typer.echo(
            f"dead letter {old} would be waiting again" if dry_run else f"dead letter {old} is waiting as {new[old]}"
        )


def _undoable(connection: Connection, ids: list[str]) -> list[KeptLetter]:
    found = find_undoable(connection, ids)
    if found.others:
        lines = [escape_unprintable(_why_not(one, end)) for one, end in found.others.items()]
        abort("\n".join([*shorten_list(lines), "nothing was changed"]))
    return list(found.letters)


def _why_not(dead_letter_id: str, end: End) -> str:
    if end.state == LetterState.DISCARDED:
        return f"the discard of dead letter {dead_letter_id} was taken back before: it is waiting as {end.undone_as}"
    is_waiting = end.state == LetterState.WAITING
    how = "it is waiting" if is_waiting else f"it {'was ' if end.who else ''}{end_words(end)}"
    return f"dead letter {dead_letter_id} was not discarded: {how}"
