"""`dropmerge dead-letters list | show | replay | discard | undo`: messages that failed for good."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import typer

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.dead_letter_filter import make_filter
from dropmerge.cli.dead_letter_words import print_summary, taken_lines
from dropmerge.cli.dead_letters_read import list_dead_letters, say_names, show
from dropmerge.cli.dead_letters_undo import undo_discards
from dropmerge.cli.exit_codes import FAILED, abort, report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    AllOfThem,
    Canary,
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
    Timeout,
    Yes,
)
from dropmerge.cli.replays import Waiting
from dropmerge.cli.terminal import (
    confirm,
    escape_unprintable,
    pluralize,
    progress,
)
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.ends import read_ends
from dropmerge.operations.dead_letters.filters import MAX_REPLAYS, Filter
from dropmerge.operations.dead_letters.replay import discard, look, replay, takes_number
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.deployed import read_deployed
from dropmerge.operations.rate import RateLimiter

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Messages that failed for good: list, show, replay, discard and undo.",
)

Shown = Callable[[int | str], None]
"""Is called with how many are done, or with what is being waited for."""
Action = Callable[[Filter, Shown], Summary]


commands.command("list")(list_dead_letters)
commands.command()(show)


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
        bool, typer.Option("--force", help=f"Also replay letters that were already replayed {MAX_REPLAYS} times.")
    ] = False,
    yes: Yes = False,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait, and print what became of each file; exit code 1 unless all are merged."),
    ] = False,
    canary: Canary = None,
    timeout: Timeout = 600.0,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Republish the original messages to the topics they came from.

    Safe to interrupt and to repeat. Takes a filter, or --all. Letters that were already replayed five times are left
    alone unless --force is given, and the exit code is then 1.
    """
    wanted = _narrowed("replay", make_filter(reason, feed, object_, older_than, ids, service), all_of_them)
    wanted = replace(wanted, limit=limit, max_replays=None if force else MAX_REPLAYS)
    require_confirmation("replay", dry_run, yes)

    waiting = Waiting(timeout, canary) if (wait or canary) and not dry_run else None

    def action(chosen: Filter, show: Shown) -> Summary:
        if waiting:
            return waiting.replay(connection, chosen, RateLimiter(rate), show)
        return replay(connection, chosen, RateLimiter(rate), show)

    with report_errors():
        connection = connect(state, project, feeds)
        to_json = waiting.as_json if waiting else _ids
        summary = _run_action("replay", connection, wanted, action, dry_run, yes, as_json, to_json)
        if waiting and not as_json:
            waiting.print(summary)
    _fail_if_taken(summary)
    if summary.over_replay_limit:
        letters = pluralize(summary.over_replay_limit, "letter")
        abort(f"{letters} replayed {MAX_REPLAYS} times already, and left alone: --force replays them")
    if waiting and not waiting.is_done(summary):
        raise typer.Exit(FAILED)


@commands.command("discard")
def discard_dead_letters(
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the journal.")],
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
    """Discard dead letters. The journal records who did it, when and why. Takes a filter, or --all."""
    if not why.strip():
        usage_error("--why is empty")
    wanted = _narrowed("discard", make_filter(reason, feed, object_, older_than, ids, service), all_of_them)
    require_confirmation("discard", dry_run, yes)

    def action(chosen: Filter, show: Shown) -> Summary:
        return discard(connection, chosen, why, show)

    with report_errors():
        connection = connect(state, project, feeds)
        summary = _run_action("discard", connection, replace(wanted, limit=limit), action, dry_run, yes, as_json)
    _fail_if_taken(summary)


commands.command("undo")(undo_discards)


def _narrowed(verb: str, wanted: Filter, all_of_them: bool) -> Filter:
    """With --dry-run too, which shows what the very same line would do without it."""
    if wanted.is_everything and not all_of_them:
        usage_error(f"{verb} takes a filter, such as --reason or --id, or --all for every waiting dead letter")
    if all_of_them and not wanted.is_everything:
        usage_error("--all and a filter exclude each other")
    return wanted


def _ids(summary: Summary) -> Any:
    return summary.ids


def _run_action(
    verb: str,
    connection: Connection,
    wanted: Filter,
    action: Action,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    to_json: Callable[[Summary], Any] = _ids,
) -> Summary:
    """Do it, or only say what would be done; without --yes, look, say it and ask first."""
    if yes and not dry_run:
        summary = _watched(action, wanted)
    else:
        summary = _watched(lambda chosen, show: look(connection, chosen, show), wanted)
    if not summary.count and not summary.over_replay_limit:
        say_names(connection, wanted)
    ask_first = bool(summary.count) and not (yes or dry_run)
    if verb == "replay" and summary.contracts:
        for line in read_deployed(connection).unchanged(summary.contracts):
            typer.echo(escape_unprintable(line), err=True)
    if ask_first:
        summary = _run_if_confirmed(verb, connection, wanted, summary, action)
    if as_json:
        typer.echo(json.dumps(to_json(summary)))
        return summary
    if summary.count and not ask_first:
        print_summary(summary)
    done = f"would {verb}" if dry_run else f"{verb}ed"
    typer.echo(f"{done} {pluralize(summary.count, 'dead letter')}")
    if verb == "discard" and summary.count and not dry_run:
        named = summary.ids[0] if summary.count == 1 else "ID"
        typer.echo(
            f"`dropmerge dead-letters undo {named}` takes {'it' if summary.count == 1 else 'one'} back", err=True
        )
    return summary


def _run_if_confirmed(verb: str, connection: Connection, wanted: Filter, seen: Summary, action: Action) -> Summary:
    """Do it to the dead letters that the person has seen counted, and to no others. None is leased meanwhile."""
    print_summary(seen, err=True)
    many = verb == "discard" and takes_number(seen.count)
    confirm(f"{verb} {pluralize(seen.count, 'dead letter')}?", agreed=str(seen.count) if many else "y")
    summary = _watched(action, replace(wanted, ids=frozenset(seen.ids)))
    left = {*summary.seen, *summary.held_back}
    summary.taken = [one for one in seen.ids if one not in left]
    for line in taken_lines(summary.taken, read_ends(connection, summary.taken)):
        typer.echo(line, err=True)
    summary.over_replay_limit = seen.over_replay_limit
    return summary


def _fail_if_taken(summary: Summary) -> None:
    if summary.taken:
        raise typer.Exit(FAILED)


def _watched(action: Action, wanted: Filter) -> Summary:
    with progress().status("reading") as line:
        return action(wanted, lambda one: line.update(one if isinstance(one, str) else pluralize(one, "dead letter")))
