"""`dropmerge dead-letters list | show | replay | discard`: messages that could not go on."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any

import typer

from deploy.topology import SERVICES
from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.events import print_events
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
    print_array,
    print_table,
    progress,
    table,
)
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.filters import MAX_REPLAYS, Filter
from dropmerge.operations.dead_letters.newer import with_newer
from dropmerge.operations.dead_letters.reading import check_names, read_dead_letter, read_dead_letters
from dropmerge.operations.dead_letters.remedies import remedy_for
from dropmerge.operations.dead_letters.replay import discard, look, replay
from dropmerge.operations.dead_letters.summary import AGES, Summary
from dropmerge.operations.deployed import read_deployed
from dropmerge.operations.file_name import FileName
from dropmerge.operations.loads.events import read_dead_letter_events
from dropmerge.operations.rate import RateLimiter
from services.shared.messages.dead_letter import DeadLetter
from services.shared.reasons import REASONS

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Messages that could not go on: list, show, replay, discard."
)

_SHOWN = 100
_MAX_DISCARDED_ON_A_YES = 100

Shown = Callable[[int | str], None]
"""Is called with how many are done, or with what is being waited for."""
Action = Callable[[Filter, Shown], Summary]


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
        typer.Option("--limit", min=1, metavar="N", help="Dead letters listed. [default: 100, with --json all]"),
    ] = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """The dead letters that wait, counted by kind and age, then the oldest of them.

    Each is leased while the list is read and given back when it is done. Nothing is used up by it.
    """
    wanted, summary = _filter(reason, feed, object_, older_than, ids, service), Summary()
    with report_errors():
        connection = connect(state, project, feeds)
        found = read_dead_letters(connection, wanted, summary)
        if as_json:
            with closing(found):
                judged = with_newer(connection, islice(found, limit))
                print_array(_summary(one, newer) for one, newer in judged)
        else:
            oldest = list(with_newer(connection, heapq.nsmallest(limit or _SHOWN, found, key=lambda one: one.at)))
        if not summary.count:
            check_names(connection, wanted)
    if as_json:
        return
    if not summary.count:
        typer.echo("no dead letters" if wanted.is_everything else "no dead letters like that")
        return
    _print_summary(summary)
    for one, newer in oldest:
        typer.echo(_line(one, newer))
    if summary.count > len(oldest):
        typer.echo(f"… and {summary.count - len(oldest)} younger ones: --limit N or --json lists them")


@commands.command()
def show(
    dead_letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `dead-letters list` shows it.")],
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """One dead letter, whole: message, error, history, what to do next."""
    with report_errors():
        connection = connect(state, project, feeds)
        one = read_dead_letter(connection, dead_letter_id)
        history = read_dead_letter_events(connection, one)
        ((_, newer),) = with_newer(connection, [one])
    remedy = remedy_for(one.reason)
    if as_json:
        next_step = {"meaning": REASONS.get(one.reason), "cause": remedy.cause, "mend": remedy.fix}
        events = [event.as_json() for event in history]
        typer.echo(json.dumps({**one.whole(), "superseded_by": newer, "history": events, "next": next_step}, indent=2))
        return
    for name, value in _summary(one, newer).items():
        if value is not None:
            typer.echo(f"{name}: {escape_unprintable(str(value))}")
    typer.echo("attributes:")
    for name, text in sorted(one.attributes.items()):
        typer.echo(f"  {escape_unprintable(name)}: {escape_unprintable(text)}")
    typer.echo(f"data: {_readable(one.data)}")
    print_events("history", history)
    typer.echo(f"meaning: {REASONS.get(one.reason, 'not known to this version')}")
    typer.echo(f"to find the cause: {remedy.cause}")
    typer.echo(f"to fix it: {remedy.fix}")
    if newer:
        typer.echo(f"#{newer} of the object is merged: replaying this one helps only for rows that that one lacks")


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
    """Publish the originals again, each to the topic that it came from.

    Safe to interrupt and to repeat. Takes a filter, or --all. What was replayed five times already stays, unless
    --force: it says so, with exit code 1.
    """
    wanted = _narrowed("replay", _filter(reason, feed, object_, older_than, ids, service), all_of_them)
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
    if summary.over_replay_limit:
        abort(f"{summary.over_replay_limit} were replayed {MAX_REPLAYS} times already and stay: --force replays them")
    if waiting and not waiting.is_done(summary):
        raise typer.Exit(FAILED)


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
    wanted = _narrowed("discard", _filter(reason, feed, object_, older_than, ids, service), all_of_them)
    require_confirmation("discard", dry_run, yes)

    def action(chosen: Filter, show: Shown) -> Summary:
        return discard(connection, chosen, why, show)

    with report_errors():
        connection = connect(state, project, feeds)
        _run_action("discard", connection, replace(wanted, limit=limit), action, dry_run, yes, as_json)


def _filter(
    reason: str | None,
    feed: str | None,
    file: FileName | None,
    older_than: timedelta | None,
    ids: Sequence[str] | None,
    service: str | None,
) -> Filter:
    before = None if older_than is None else datetime.now(UTC) - older_than
    return Filter((service,) if service else SERVICES, reason, feed, file, before, frozenset(ids or []))


def _narrowed(verb: str, wanted: Filter, all_of_them: bool) -> Filter:
    """With --dry-run too, which shows what the very same line would do without it."""
    if wanted.is_everything and not all_of_them:
        usage_error(f"{verb} takes a filter, such as --reason or --id, or --all for every dead letter that waits")
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
        check_names(connection, wanted)
    ask_first = bool(summary.count) and not (yes or dry_run)
    if verb == "replay" and summary.contracts:
        for line in read_deployed(connection).unchanged(summary.contracts):
            typer.echo(escape_unprintable(line), err=True)
    if ask_first:
        summary = _run_if_confirmed(verb, wanted, summary, action)
    if as_json:
        typer.echo(json.dumps(to_json(summary)))
        return summary
    if summary.count and not ask_first:
        _print_summary(summary)
    done = f"would {verb}" if dry_run else f"{verb}ed"
    typer.echo(f"{done} {pluralize(summary.count, 'dead letter')}")
    return summary


def _run_if_confirmed(verb: str, wanted: Filter, seen: Summary, action: Action) -> Summary:
    """Do it to the dead letters that the person has seen counted, and to no others. None is leased meanwhile."""
    _print_summary(seen, err=True)
    many = verb == "discard" and seen.count > _MAX_DISCARDED_ON_A_YES
    confirm(f"{verb} {pluralize(seen.count, 'dead letter')}?", agreed=str(seen.count) if many else "y")
    summary = _watched(action, replace(wanted, ids=frozenset(seen.ids)))
    if gone := seen.count - summary.count - len(summary.held_back):
        typer.echo(f"{gone} of them were no longer there: another command may have taken them", err=True)
    summary.over_replay_limit = seen.over_replay_limit
    return summary


def _watched(action: Action, wanted: Filter) -> Summary:
    with progress().status("reading") as line:
        return action(wanted, lambda one: line.update(one if isinstance(one, str) else pluralize(one, "dead letter")))


def _print_summary(summary: Summary, err: bool = False) -> None:
    counts = table("service", "reason", "feed", "dead letters", *AGES)
    for kind, ages in summary.by_frequency():
        names = map(escape_unprintable, (kind.service, kind.reason, kind.feed))
        counts.add_row(*names, str(ages.total()), *(str(ages[name] or "") for name in AGES))
    print_table(counts, err)


def _summary(one: DeadLetter, newer: int | None) -> dict[str, Any]:
    return {**one.summary(), "superseded_by": newer}


def _line(one: DeadLetter, newer: int | None) -> str:
    where = f"{one.object}#{one.generation}" if one.object else "-"
    again = f", replay {one.replay_count}" if one.replay_count else ""
    merged = f"; #{newer} of it is merged" if newer else ""
    return escape_unprintable(
        f"{one.id}  {one.dead_lettered_at}  {one.reason}  {where}"
        f"  (attempt {one.attempts}{again}{merged})  {one.first_line[:120]}"
    )


def _readable(data: bytes) -> str:
    """JSON on lines of its own; anything else on one, with what cannot be shown escaped."""
    try:
        return json.dumps(json.loads(data), indent=2)
    except (ValueError, RecursionError):
        return escape_unprintable(data.decode("utf-8", "backslashreplace"))
