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

from dropmerge.cli.exit_codes import abort, report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
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
from dropmerge.cli.terminal import confirm, escape_unprintable, pluralize, progress, require_terminal
from dropmerge.operations.connection import Connection, open_connection
from dropmerge.operations.dead_letters.filters import Filter, filter_from_options
from dropmerge.operations.dead_letters.remedies import remedy_for
from dropmerge.operations.dead_letters.replay import discard, replay
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.loads.events import dead_letter_events, print_events
from dropmerge.operations.rate import RateLimiter
from services.shared.messages.dead_letter import DeadLetter
from services.shared.reasons import REASONS

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Messages that could not go on: list, show, replay, discard."
)

MAX_REPLAYS = 5
_SHOWN = 100
_MAX_DISCARDED_ON_A_YES = 100

Action = Callable[[Connection, DeadLetterSubscription, Sequence[DeadLetter]], None]


@dataclass(frozen=True)
class Selection:
    """The letters that a command acts on."""

    choice: Filter
    limit: int | None
    most_replays: int | None

    def batches(self, mailbox: DeadLetterSubscription, most: int, tally: Summary) -> Iterator[list[DeadLetter]]:
        left = sys.maxsize if self.limit is None else self.limit
        for batch in self.choice.batches(mailbox, min(most, left)):
            # One that has failed again meanwhile is for another time, or this would go round in circles.
            found = [letter for letter in batch if letter.replay_of not in tally.seen]
            fit = [x for x in found if self.most_replays is None or x.replay_count < self.most_replays]
            tally.over_replay_limit += len(found) - len(fit)
            if fit:
                yield fit[:left]
            left -= len(fit)
            if left <= 0:
                return


@commands.command("list")
def list_dead_letters(
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
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """The dead letters that wait, counted by kind and age, then the oldest of them.

    Each is leased while the list is read and given back at its end. Nothing is used up by it.
    """
    choice = filter_from_options(reason, feed, object_, older_than, ids, service)
    tally = Summary()
    with report_errors():
        connection = open_connection(state, project, feeds)
        with DeadLetterSubscription(connection, choice.services) as mailbox:
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
        typer.echo("no dead letters" if choice == Filter() else "no dead letters like that")
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
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """One dead letter, whole: message, error, history, what to do next."""
    choice = Filter(ids=frozenset([letter_id]))
    with report_errors():
        connection = open_connection(state, project, feeds)
        with DeadLetterSubscription(connection) as mailbox:
            letter = next(chain.from_iterable(choice.batches(mailbox)), None)
        if letter is None:
            usage_error(_not_there([letter_id]))
        history = dead_letter_events(connection, letter)
    advice = remedy_for(letter.reason)
    if as_json:
        next_step = {"meaning": REASONS.get(letter.reason), "cause": advice.cause, "mend": advice.fix}
        typer.echo(json.dumps({**letter.whole(), "history": history, "next": next_step}, indent=2))
        return
    for name, value in letter.summary().items():
        if value is not None:
            typer.echo(f"{name}: {escape_unprintable(str(value))}")
    typer.echo("attributes:")
    for name, text in sorted(letter.attributes.items()):
        typer.echo(f"  {escape_unprintable(name)}: {escape_unprintable(text)}")
    typer.echo(f"data: {_readable(letter.data)}")
    print_events("history", history)
    typer.echo(f"meaning: {REASONS.get(letter.reason, 'not known to this version')}")
    typer.echo(f"to find the cause: {advice.cause}")
    typer.echo(f"to mend it: {advice.fix}")


@commands.command("replay")
def replay_dead_letters(
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
        bool, typer.Option("--force", help=f"Also what was replayed {MAX_REPLAYS} times already.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Publish the originals again, each to the topic that it came from.

    Safe to interrupt and to repeat. Takes a filter, or --all. What was replayed five times already stays, unless
    --force: it says so, with exit code 1.
    """
    choice = _narrowed("replay", filter_from_options(reason, feed, object_, older_than, ids, service), all_of_them)
    if not dry_run and not yes:
        require_terminal("replay")
    selection = Selection(choice, limit, None if force else MAX_REPLAYS)
    tally = _run_action(
        "replay", selection, replay, RateLimiter(rate), dry_run, yes, as_json, open_connection(state, project, feeds)
    )
    if tally.over_replay_limit:
        abort(f"{tally.over_replay_limit} were replayed {MAX_REPLAYS} times already and stay: --force replays them")


@commands.command("discard")
def discard_dead_letters(
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
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Give dead letters up. Who did it, when and why stays in the journal. Takes a filter, or --all."""
    if not why.strip():
        usage_error("--why is empty")
    choice = _narrowed("discard", filter_from_options(reason, feed, object_, older_than, ids, service), all_of_them)
    if not dry_run and not yes:
        require_terminal("discard")
    selection = Selection(choice, limit, None)
    action = partial(discard, why=why)
    _run_action(
        "discard", selection, action, RateLimiter(None), dry_run, yes, as_json, open_connection(state, project, feeds)
    )


def _run_action(
    verb: str,
    selection: Selection,
    action: Action,
    pace: RateLimiter,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    connection: Connection,
) -> Summary:
    """Do it, or only say what would be done; without --yes, look, say it and ask first."""
    with report_errors():
        if yes and not dry_run:
            tally = _for_each_batch(connection, selection, pace, action)
        else:
            tally = _for_each_batch(connection, selection, RateLimiter(None), _no_op)
        if not tally.count and not tally.over_replay_limit:
            _check_names(connection, selection.choice)
        ask_first = bool(tally.count) and not (yes or dry_run)
        if ask_first:
            tally = _run_action_if_confirmed(verb, connection, selection, tally, pace, action)
    if as_json:
        typer.echo(json.dumps(tally.ids))
        return tally
    if tally.count and not ask_first:
        tally.print()
    done = f"would {verb}" if dry_run else f"{verb}ed"
    typer.echo(f"{done} {pluralize(tally.count, 'dead letter')}")
    return tally


def _run_action_if_confirmed(
    verb: str, connection: Connection, selection: Selection, seen: Summary, pace: RateLimiter, action: Action
) -> Summary:
    """Do it to the letters that the person has seen counted, and to no others. None is leased while they think."""
    seen.print(err=True)
    many = verb == "discard" and seen.count > _MAX_DISCARDED_ON_A_YES
    confirm(f"{verb} {pluralize(seen.count, 'dead letter')}?", agreed=str(seen.count) if many else "y")
    agreed = replace(selection, choice=replace(selection.choice, ids=frozenset(seen.ids)))
    tally = _for_each_batch(connection, agreed, pace, action)
    if gone := seen.count - tally.count:
        typer.echo(f"{gone} of them were no longer there: another command may have taken them", err=True)
    tally.over_replay_limit = seen.over_replay_limit
    return tally


def _narrowed(verb: str, choice: Filter, all_of_them: bool) -> Filter:
    """With --dry-run too, which shows what the very same line would do without it."""
    if choice == Filter() and not all_of_them:
        usage_error(f"{verb} takes a filter, such as --reason or --id, or --all for every dead letter that waits")
    if choice != Filter() and all_of_them:
        usage_error("--all and a filter exclude each other")
    return choice


def _no_op(_: Connection, __: DeadLetterSubscription, ___: Sequence[DeadLetter]) -> None:
    """For a look."""


def _for_each_batch(connection: Connection, selection: Selection, pace: RateLimiter, action: Action) -> Summary:
    tally = Summary()
    with (
        DeadLetterSubscription(connection, selection.choice.services) as subscription,
        progress().status("reading") as line,
    ):
        for batch in selection.batches(subscription, pace.batch, tally):
            pace.wait(len(batch))
            action(connection, subscription, batch)
            tally.add(batch)
            line.update(pluralize(tally.count, "dead letter"))
    return tally


def _check_names(connection: Connection, choice: Filter) -> None:
    """Nothing fits: perhaps because what was named is not there."""
    if choice.ids:
        usage_error(_not_there(sorted(choice.ids)))
    if choice.feed is not None:
        connection.feed(choice.feed)


def _not_there(ids: Sequence[str]) -> str:
    return f"no dead letter {', '.join(ids)} waits: `dropmerge dead-letters list` shows those that do"


def _line(letter: DeadLetter) -> str:
    where = f"{letter.object}#{letter.generation}" if letter.object else "-"
    again = f", replay {letter.replay_count}" if letter.replay_count else ""
    return escape_unprintable(
        f"{letter.id}  {letter.dead_lettered_at}  {letter.reason}  {where}"
        f"  (attempt {letter.attempts}{again})  {letter.first_line[:120]}"
    )


def _readable(data: bytes) -> str:
    """JSON on lines of its own; anything else on one, with what cannot be shown escaped."""
    try:
        return json.dumps(json.loads(data), indent=2)
    except (ValueError, RecursionError):
        return escape_unprintable(data.decode("utf-8", "backslashreplace"))


def _print_array(items: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array, an item at a time."""
    before = "["
    for item in items:
        typer.echo(f"{before}\n{textwrap.indent(json.dumps(item, indent=2), '  ')}", nl=False)
        before = ","
    typer.echo("[]" if before == "[" else "\n]")
