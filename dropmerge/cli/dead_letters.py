"""The commands themselves."""

from __future__ import annotations

import heapq
import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import Annotated, Any

import typer

from dropmerge.cli.exit_codes import errors_in_words, fail, misused
from dropmerge.cli.options import (
    FEEDS,
    HERE,
    AllOfThem,
    DryRun,
    FeedName,
    Feeds,
    Ids,
    Json,
    Limit,
    Object,
    OlderThan,
    Project,
    Rate,
    Reason,
    Service,
    State,
    Yes,
)
from dropmerge.cli.terminal import ask, counted, must_be_there, progress, visible
from dropmerge.operations.connection import Connection, open_connection
from dropmerge.operations.dead_letters.dead_letter import Letter
from dropmerge.operations.dead_letters.filters import Choice, choose
from dropmerge.operations.dead_letters.remedies import advice_for
from dropmerge.operations.dead_letters.replay import discard, replay
from dropmerge.operations.dead_letters.subscription import Mailbox
from dropmerge.operations.dead_letters.summary import Tally
from dropmerge.operations.loads.events import letter_events, print_events
from dropmerge.operations.publish import Pace
from services.shared.reasons import REASONS

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Messages that could not go on: list, show, replay, discard."
)

MOST_REPLAYS = 5
_SHOWN = 100
_MOST_DISCARDED_ON_A_YES = 100

Action = Callable[[Connection, Mailbox, Sequence[Letter]], None]


@dataclass(frozen=True)
class Selection:
    """The letters that a command acts on."""

    choice: Choice
    limit: int | None
    most_replays: int | None

    def batches(self, mailbox: Mailbox, most: int, tally: Tally) -> Iterator[list[Letter]]:
        left = sys.maxsize if self.limit is None else self.limit
        for batch in self.choice.batches(mailbox, min(most, left)):
            # One that has failed again meanwhile is for another time, or this would go round in circles.
            found = [letter for letter in batch if letter.replay_of not in tally.seen]
            fit = [x for x in found if self.most_replays is None or x.replay_count < self.most_replays]
            tally.worn += len(found) - len(fit)
            if fit:
                yield fit[:left]
            left -= len(fit)
            if left <= 0:
                return


@commands.command("list")
def list_letters(
    reason: Reason = None,
    feed: FeedName = None,
    object_: Object = None,
    older_than: OlderThan = None,
    ids: Ids = None,
    service: Service = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="Letters listed. [default: 100, with --json all]"),
    ] = None,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """The dead letters that wait, counted by kind and age, then the oldest of them.

    Each is leased while the list is read and given back at its end. Nothing is used up by it.
    """
    choice = choose(reason, feed, object_, older_than, ids, service)
    tally = Tally()
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        with Mailbox(connection, choice.services) as mailbox:
            letters = tally.counting(choice.batches(mailbox))
            if as_json:
                _print_array(letter.summary() for letter in islice(letters, limit))
            else:
                oldest = heapq.nsmallest(limit or _SHOWN, letters, key=lambda letter: letter.at)
        if not tally.count:
            _check_names(connection, choice)
    if as_json:
        return
    if not tally.count:
        typer.echo("no dead letters" if choice == Choice() else "no dead letters like that")
        return
    tally.print()
    for one in oldest:
        typer.echo(_line(one))
    if tally.count > len(oldest):
        typer.echo(f"… and {tally.count - len(oldest)} younger ones: --limit N or --json lists them")


@commands.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `dead-letters list` tells it.")],
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """One dead letter, whole: message, error, history, what to do next."""
    choice = Choice(ids=frozenset([letter_id]))
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        with Mailbox(connection) as mailbox:
            letter = next(chain.from_iterable(choice.batches(mailbox)), None)
        if letter is None:
            misused(_not_there([letter_id]))
        history = letter_events(connection, letter)
    advice = advice_for(letter.reason)
    if as_json:
        next_step = {"meaning": REASONS.get(letter.reason), "cause": advice.cause, "mend": advice.mend}
        typer.echo(json.dumps({**letter.whole(), "history": history, "next": next_step}, indent=2))
        return
    for name, value in letter.summary().items():
        if value is not None:
            typer.echo(f"{name}: {visible(str(value))}")
    typer.echo("attributes:")
    for name, text in sorted(letter.attributes.items()):
        typer.echo(f"  {visible(name)}: {visible(text)}")
    typer.echo(f"data: {_readable(letter.data)}")
    print_events("history", history)
    typer.echo(f"meaning: {REASONS.get(letter.reason, 'not known to this version')}")
    typer.echo(f"to find the cause: {advice.cause}")
    typer.echo(f"to mend it: {advice.mend}")


@commands.command("replay")
def replay_letters(
    reason: Reason = None,
    feed: FeedName = None,
    object_: Object = None,
    older_than: OlderThan = None,
    ids: Ids = None,
    service: Service = None,
    all_of_them: AllOfThem = False,
    limit: Limit = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    force: Annotated[
        bool, typer.Option("--force", help=f"Also what was replayed {MOST_REPLAYS} times already.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Publish the originals again, each to the topic that it came from.

    Safe to interrupt and to repeat. Takes a filter, or --all. What was replayed five times already stays, unless
    --force: it says so, with exit code 1.
    """
    choice = _narrowed("replay", choose(reason, feed, object_, older_than, ids, service), all_of_them)
    if not dry_run and not yes:
        must_be_there("replay")
    selection = Selection(choice, limit, None if force else MOST_REPLAYS)
    tally = _act(
        "replay", selection, replay, Pace(rate), dry_run, yes, as_json, open_connection(state, project, feeds)
    )
    if tally.worn:
        fail(f"{tally.worn} were replayed {MOST_REPLAYS} times already and stay: --force replays them")


@commands.command("discard")
def discard_letters(
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, for the journal.")],
    reason: Reason = None,
    feed: FeedName = None,
    object_: Object = None,
    older_than: OlderThan = None,
    ids: Ids = None,
    service: Service = None,
    all_of_them: AllOfThem = False,
    limit: Limit = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Give dead letters up. Who did it, when and why stays in the journal. Takes a filter, or --all."""
    if not why.strip():
        misused("--why is empty")
    choice = _narrowed("discard", choose(reason, feed, object_, older_than, ids, service), all_of_them)
    if not dry_run and not yes:
        must_be_there("discard")
    selection = Selection(choice, limit, None)
    action = partial(discard, why=why)
    _act("discard", selection, action, Pace(None), dry_run, yes, as_json, open_connection(state, project, feeds))


def _act(
    verb: str,
    selection: Selection,
    action: Action,
    pace: Pace,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    connection: Connection,
) -> Tally:
    """Do it, or only say what would be done; without --yes, look, say it and ask first."""
    with errors_in_words():
        if yes and not dry_run:
            tally = _each_batch(connection, selection, pace, action)
        else:
            tally = _each_batch(connection, selection, Pace(None), _nothing)
        if not tally.count and not tally.worn:
            _check_names(connection, selection.choice)
        ask_first = bool(tally.count) and not (yes or dry_run)
        if ask_first:
            tally = _act_if_agreed(verb, connection, selection, tally, pace, action)
    if as_json:
        typer.echo(json.dumps(tally.ids))
        return tally
    if tally.count and not ask_first:
        tally.print()
    done = f"would {verb}" if dry_run else f"{verb}ed"
    typer.echo(f"{done} {counted(tally.count, 'dead letter')}")
    return tally


def _act_if_agreed(
    verb: str, connection: Connection, selection: Selection, seen: Tally, pace: Pace, action: Action
) -> Tally:
    """Do it to the letters that the person has seen counted, and to no others. None is leased while they think."""
    seen.print(err=True)
    many = verb == "discard" and seen.count > _MOST_DISCARDED_ON_A_YES
    ask(f"{verb} {counted(seen.count, 'dead letter')}?", agreed=str(seen.count) if many else "y")
    agreed = replace(selection, choice=replace(selection.choice, ids=frozenset(seen.ids)))
    tally = _each_batch(connection, agreed, pace, action)
    if gone := seen.count - tally.count:
        typer.echo(f"{gone} of them were no longer there: another command may have taken them", err=True)
    tally.worn = seen.worn
    return tally


def _narrowed(verb: str, choice: Choice, all_of_them: bool) -> Choice:
    """With --dry-run too, which shows what the very same line would do without it."""
    if choice == Choice() and not all_of_them:
        misused(f"{verb} takes a filter, such as --reason or --id, or --all for every dead letter that waits")
    if choice != Choice() and all_of_them:
        misused("--all and a filter exclude each other")
    return choice


def _nothing(_: Connection, __: Mailbox, ___: Sequence[Letter]) -> None:
    """For a look."""


def _each_batch(connection: Connection, selection: Selection, pace: Pace, action: Action) -> Tally:
    tally = Tally()
    with Mailbox(connection, selection.choice.services) as mailbox, progress().status("reading") as line:
        for batch in selection.batches(mailbox, pace.batch, tally):
            pace.wait(len(batch))
            action(connection, mailbox, batch)
            tally.add(batch)
            line.update(counted(tally.count, "dead letter"))
    return tally


def _check_names(connection: Connection, choice: Choice) -> None:
    """Nothing fits: perhaps because what was named is not there."""
    if choice.ids:
        misused(_not_there(sorted(choice.ids)))
    if choice.feed is not None:
        connection.feed(choice.feed)


def _not_there(ids: Sequence[str]) -> str:
    return f"no dead letter {', '.join(ids)} waits: `dropmerge dead-letters list` shows those that do"


def _line(letter: Letter) -> str:
    where = f"{letter.object}#{letter.generation}" if letter.object else "-"
    again = f", replay {letter.replay_count}" if letter.replay_count else ""
    return visible(
        f"{letter.id}  {letter.dead_lettered_at}  {letter.reason}  {where}"
        f"  (attempt {letter.attempts}{again})  {letter.first_line[:120]}"
    )


def _readable(data: bytes) -> str:
    """JSON on lines of its own; anything else on one, with what cannot be shown escaped."""
    try:
        return json.dumps(json.loads(data), indent=2)
    except (ValueError, RecursionError):
        return visible(data.decode("utf-8", "backslashreplace"))


def _print_array(items: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array, an item at a time."""
    before = "["
    for item in items:
        typer.echo(f"{before}\n{textwrap.indent(json.dumps(item, indent=2), '  ')}", nl=False)
        before = ","
    typer.echo("[]" if before == "[" else "\n]")
