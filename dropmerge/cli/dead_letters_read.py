"""`dropmerge dead-letters list` and `show`: nothing is leased and nothing changed by them."""

from __future__ import annotations

import heapq
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import islice
from typing import Annotated, Any

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.completion import complete_letter
from dropmerge.cli.dead_letter_filter import make_filter
from dropmerge.cli.dead_letter_words import (
    end_words,
    ended_count,
    ended_line,
    not_waiting_lines,
    print_summary,
    waiting_count,
    waiting_line,
)
from dropmerge.cli.events import print_events
from dropmerge.cli.exit_codes import abort, report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    FeedName,
    Feeds,
    Ids,
    Json,
    Object,
    OlderThan,
    Project,
    Reason,
    Service,
    State,
    parse_age,
)
from dropmerge.cli.terminal import escape_unprintable, is_interactive, print_array, wrap
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.as_json import letter_json, story_json
from dropmerge.operations.dead_letters.ends import WAITING, LetterState
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.kept import KeptLetter
from dropmerge.operations.dead_letters.naming import find_letter
from dropmerge.operations.dead_letters.newer import with_newer
from dropmerge.operations.dead_letters.reading import (
    LetterStory,
    check_names,
    read_dead_letters,
    read_ended,
    read_story,
)
from dropmerge.operations.dead_letters.remedies import remedy_for
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.loads.events import read_dead_letter_events
from dropmerge.operations.loads.next_steps import letter_steps
from services.shared.messages.dead_letter import DeadLetter
from services.shared.reasons import REASONS

_ON_A_SCREEN, _IN_A_FILE = 20, 100
_AT_ONCE = 500
_ENDED_WITHIN = timedelta(days=31)


def list_dead_letters(
    reason: Reason = None,
    feed: FeedName = None,
    object_: Object = None,
    older_than: OlderThan = None,
    ids: Ids = None,
    service: Service = None,
    ended: Annotated[
        bool, typer.Option("--ended", help="List those that are no longer waiting: how each ended, when, and by whom.")
    ] = False,
    since: Annotated[
        timedelta | None,
        typer.Option(
            "--since",
            parser=parse_age,
            metavar="AGE",
            help="With --ended, only those that ended within this time. [default: 31d]",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", min=1, metavar="N", help="List at most N. [default: 20, in a pipe 100, with --json all]"
        ),
    ] = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """List the waiting dead letters: counts by kind and age, then the oldest ones. Looking consumes nothing.

    With --ended, list those that were replayed or discarded or have expired, the latest first.
    """
    if since is not None and not ended:
        usage_error("--since is for --ended: --older-than is for those that are waiting")
    wanted = make_filter(reason, feed, object_, older_than, ids, service)
    with report_errors():
        connection = connect(state, project, feeds)
        if ended:
            _list_ended(connection, wanted, _ENDED_WITHIN if since is None else since, limit, as_json)
        else:
            _list_waiting(connection, wanted, limit, as_json)


def show(
    named: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            autocompletion=complete_letter,
            help="As shown by `dead-letters list`; or the file, by any of its names.",
        ),
    ],
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show a dead letter: its message, error and history, and what to do next, or what became of it."""
    with report_errors():
        connection = connect(state, project, feeds)
        story = read_story(connection, find_letter(connection, named))
        history = read_dead_letter_events(connection, story.letter)
        ((_, newer),) = with_newer(connection, [story.letter])
    if as_json:
        events = [event.as_json() for event in history]
        typer.echo(json.dumps({**story_json(story, newer), "history": events}, indent=2))
        return
    _print_end(story)
    _print_letter(story.letter, newer)
    print_events("history", history)
    _print_next(story, newer)


def say_names(connection: Connection, wanted: Filter) -> None:
    """Why nothing was found, where that is known: what was named has ended."""
    if ended := check_names(connection, wanted):
        abort("\n".join(not_waiting_lines(ended)))


def _list_waiting(connection: Connection, wanted: Filter, limit: int | None, as_json: bool) -> None:
    summary = Summary()
    found = read_dead_letters(connection, wanted, summary)
    if as_json:
        with closing(found):
            judged = with_newer(connection, islice(found, limit))
            print_array(letter_json(one, newer, WAITING) for one, newer in judged)
        if not summary.count:
            say_names(connection, wanted)
        return
    most = limit or _default_limit()
    oldest = list(with_newer(connection, heapq.nsmallest(most, found, key=lambda one: one.at)))
    if not summary.count:
        say_names(connection, wanted)
        typer.echo("no dead letters" if wanted.is_everything else "no dead letters like that")
        return
    print_summary(summary)
    for one, newer in oldest:
        typer.echo(waiting_line(one, newer))
    if summary.count > len(oldest):
        typer.echo(f"… and {summary.count - len(oldest)} newer ones: --limit N or --json lists them")
    typer.echo(waiting_count(summary))
    if oldest and is_interactive(sys.stdout):
        typer.echo(f"next: dropmerge dead-letters show {oldest[0][0].id}")


def _list_ended(connection: Connection, wanted: Filter, age: timedelta, limit: int | None, as_json: bool) -> None:
    found = read_ended(connection, wanted, age)
    if as_json:
        print_array(_ended_json(connection, islice(found, limit)))
        return
    states = Counter[str]()
    most = limit or _default_limit()
    last = heapq.nlargest(most, _counted(found, states), key=lambda one: one.end.at or one.letter.at)
    if not last:
        typer.echo("no dead letters ended" if wanted.is_everything else "no dead letters like that ended")
        return
    for one in last:
        typer.echo(ended_line(one.letter, one.end))
    if states.total() > len(last):
        typer.echo(f"… and {states.total() - len(last)} that ended before: --limit N or --json lists them")
    typer.echo(ended_count(states, -(-age // timedelta(days=1))))


def _counted(found: Iterable[KeptLetter], states: Counter[str]) -> Iterator[KeptLetter]:
    for one in found:
        states[one.end.state.value] += 1
        yield one


def _default_limit() -> int:
    return _ON_A_SCREEN if is_interactive(sys.stdout) else _IN_A_FILE


def _ended_json(connection: Connection, found: Iterator[KeptLetter]) -> Iterator[dict[str, Any]]:
    while some := list(islice(found, _AT_ONCE)):
        judged = with_newer(connection, [one.letter for one in some])
        for one, (letter, newer) in zip(some, judged, strict=True):
            yield letter_json(letter, newer, one.end)


def _print_end(story: LetterStory) -> None:
    if story.end.state != LetterState.WAITING:
        words = end_words(story.end, story.is_merged)
        typer.echo(escape_unprintable(f"dead letter {story.letter.id} is not waiting: {words}"))
    for one in story.ancestors:
        typer.echo(escape_unprintable(f"it came from dead letter {one.letter.id}: {end_words(one.end)}"))


def _print_letter(one: DeadLetter, newer: int | None) -> None:
    for name, value in {**one.summary(), "superseded_by": newer}.items():
        if value is not None:
            typer.echo(wrap(f"{name}: {escape_unprintable(str(value))}"))
    typer.echo("attributes:")
    for name, text in sorted(one.attributes.items()):
        typer.echo(f"  {escape_unprintable(name)}: {escape_unprintable(text)}")
    typer.echo(f"data: {_readable(one.data)}")


def _print_next(story: LetterStory, newer: int | None) -> None:
    one, end, remedy = story.letter, story.end, remedy_for(story.letter.reason)
    typer.echo(wrap(f"meaning: {REASONS.get(one.reason, 'not known to this version')}"))
    if end.state == LetterState.DISCARDED and not end.undone_as:
        typer.echo(f"to take the discard back: dropmerge dead-letters undo {one.id}")
    if end.state != LetterState.WAITING:
        return
    typer.echo(wrap(f"to find the cause: {remedy.cause}"))
    typer.echo(wrap(f"to fix it: {remedy.fix}"))
    if newer:
        typer.echo(
            wrap(f"generation {newer} of the file is merged: replay this one only for rows that the newer one lacks")
        )
    typer.echo("next:")
    for step in letter_steps(one.id, one.reason, one.object, newer):
        typer.echo(wrap(escape_unprintable(f"  {step.command}  # {step.why}"), 4))


def _readable(data: bytes) -> str:
    """JSON on lines of its own; anything else on one, with what cannot be shown escaped."""
    try:
        return json.dumps(json.loads(data), indent=2)
    except (ValueError, RecursionError):
        return escape_unprintable(data.decode("utf-8", "backslashreplace"))
