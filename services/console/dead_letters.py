"""`dropmerge dead-letters list | show | replay | discard`."""

from __future__ import annotations

import heapq
import json
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.console.advice import advice_for
from services.console.choice import Choice, FeedName, Ids, Limit, Object, OlderThan, Reason, Service, choose
from services.console.connection import (
    FEEDS,
    HERE,
    Connection,
    DryRun,
    Feeds,
    Json,
    Project,
    Rate,
    State,
    Yes,
    ask,
    errors_in_words,
    fail,
    open_connection,
)
from services.console.events import read_event
from services.console.letter import Letter
from services.console.mailbox import Mailbox
from services.console.publish import Pace
from services.console.replay import discard, replay
from services.shared.errors import REASONS

commands = typer.Typer(no_args_is_help=True, help="Messages that could not go on.")

MOST_REPLAYS = 5
_SHOWN = 100
_AGES = {"< 1 h": timedelta(hours=1), "< 1 d": timedelta(days=1), "< 7 d": timedelta(days=7)}

Action = Callable[[Connection, Mailbox, Sequence[Letter]], None]


class Tally:
    """How many letters of each kind, and how old they are. Keeps ids, no letters."""

    def __init__(self) -> None:
        self._ages: dict[tuple[str, str, str], Counter[str]] = {}
        self._now = datetime.now(UTC)
        self.ids: list[str] = []
        self.worn = 0
        """Left where they are, because they were replayed too often."""

    @property
    def count(self) -> int:
        return len(self.ids)

    def add(self, letter: Letter) -> None:
        key = (letter.service, letter.reason, letter.feed or "")
        age = next((name for name, limit in _AGES.items() if self._now - letter.at < limit), "older")
        self._ages.setdefault(key, Counter())[age] += 1
        self.ids.append(letter.id)

    def print(self) -> None:
        table = Table("service", "reason", "feed", "letters", *_AGES, "older")
        for key, ages in sorted(self._ages.items(), key=lambda one: (-one[1].total(), one[0])):
            table.add_row(*key, str(ages.total()), *(str(ages[name] or "") for name in [*_AGES, "older"]))
        Console().print(table)


@dataclass(frozen=True)
class Selection:
    """The letters that a command acts on."""

    choice: Choice
    limit: int | None
    most_replays: int | None

    def batches(self, mailbox: Mailbox, most: int, tally: Tally) -> Iterator[list[Letter]]:
        left = sys.maxsize if self.limit is None else self.limit
        for batch in self.choice.batches(mailbox, min(most, left)):
            fit = [x for x in batch if self.most_replays is None or x.replay_count < self.most_replays]
            tally.worn += len(batch) - len(fit)
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
        int | None, typer.Option("--limit", min=1, help="Letters listed: by default 100, with --json all.")
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
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        with Mailbox(connection, choice.services) as mailbox:
            found = choice.batches(mailbox)
            if as_json:
                letters = chain.from_iterable(found)
                _print_array(letter.summary() for letter in islice(letters, limit))
                return
            tally = Tally()
            oldest = heapq.nsmallest(limit or _SHOWN, _counted(found, tally), key=lambda letter: letter.at)
    if not tally.count:
        typer.echo("no dead letters")
        return
    tally.print()
    for one in oldest:
        where = f"{one.object}#{one.generation}" if one.object else "-"
        again = f", replay {one.replay_count}" if one.replay_count else ""
        typer.echo(
            f"{one.id}  {one.dead_lettered_at}  {one.reason}  {where}"
            f"  (attempt {one.attempts}{again})  {one.first_line[:120]}"
        )
    if tally.count > len(oldest):
        typer.echo(f"… and {tally.count - len(oldest)} younger ones: --limit N or --json lists them")


@commands.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID")],
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """One dead letter, whole: message, error, history, what to do next."""
    choice = choose(None, None, None, None, [letter_id], None)
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        with Mailbox(connection) as mailbox:
            letter = next(chain.from_iterable(choice.batches(mailbox)), None)
        if letter is None:
            fail(f"no dead letter {letter_id} waits: `dropmerge dead-letters list` shows those that do")
        history = _history(connection, letter)
    advice = advice_for(letter.reason)
    if as_json:
        next_step = {"meaning": REASONS.get(letter.reason), "cause": advice.cause, "mend": advice.mend}
        typer.echo(json.dumps({**letter.whole(), "history": history, "next": next_step}, indent=2))
        return
    for name, value in letter.summary().items():
        if value is not None:
            typer.echo(f"{name}: {value}")
    typer.echo(f"attributes: {json.dumps(dict(letter.attributes), indent=2)}")
    typer.echo(f"data: {letter.data.decode('utf-8', 'backslashreplace')}")
    typer.echo("history:")
    for event in history:
        typer.echo(f"  {event['at']}  {event['event']:14} {event['service']:7} {json.dumps(event['detail'])}")
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
    limit: Limit = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    force: Annotated[bool, typer.Option("--force", help="Also what was replayed too often.")] = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Publish the originals again, to the topic each came from.

    Safe to interrupt and to repeat. A letter replayed five times already stays, unless --force.
    """
    selection = Selection(
        choose(reason, feed, object_, older_than, ids, service), limit, None if force else MOST_REPLAYS
    )
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        tally = _look_first(connection, selection, "replay", dry_run, yes)
        if not dry_run:
            tally = _each_batch(connection, selection, Pace(rate), replay)
    _report("would replay" if dry_run else "replayed", tally, as_json)
    if tally.worn:
        fail(f"{tally.worn} were replayed {MOST_REPLAYS} times already and stay: --force replays them")
    if ids and not tally.count:
        fail("no such dead letter waits")


@commands.command("discard")
def discard_letters(
    why: Annotated[str, typer.Option("--why", help="For the journal.")],
    reason: Reason = None,
    feed: FeedName = None,
    object_: Object = None,
    older_than: OlderThan = None,
    ids: Ids = None,
    service: Service = None,
    limit: Limit = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Give dead letters up, with a reason that the journal keeps."""
    if not why.strip():
        fail("--why is empty", 2)
    selection = Selection(choose(reason, feed, object_, older_than, ids, service), limit, None)
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        tally = _look_first(connection, selection, "discard", dry_run, yes)
        if not dry_run:
            tally = _each_batch(connection, selection, Pace(None), partial(discard, why=why))
    _report("would discard" if dry_run else "discarded", tally, as_json)
    if ids and not tally.count:
        fail("no such dead letter waits")


def _look_first(connection: Connection, selection: Selection, verb: str, dry_run: bool, yes: bool) -> Tally:
    """What would be done; where a person sits, a question too. Nothing is leased while the person thinks."""
    tally = Tally()
    if dry_run or (sys.stdin.isatty() and not yes):
        tally = _each_batch(connection, selection, Pace(None), lambda *_: None)
    if not dry_run and tally.count:
        tally.print()
        ask(f"{verb} {tally.count} dead letters?", yes)
    return tally


def _each_batch(connection: Connection, selection: Selection, pace: Pace, action: Action) -> Tally:
    tally = Tally()
    with Mailbox(connection, selection.choice.services) as mailbox, Console(stderr=True).status("reading") as line:
        for batch in selection.batches(mailbox, pace.batch, tally):
            pace.wait(len(batch))
            action(connection, mailbox, batch)
            for letter in batch:
                tally.add(letter)
            line.update(f"{tally.count} dead letters")
    return tally


def _report(verb: str, tally: Tally, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(tally.ids))
        return
    if tally.count:
        tally.print()
    typer.echo(f"{verb} {tally.count} dead letters")


def _counted(batches: Iterable[Sequence[Letter]], tally: Tally) -> Iterator[Letter]:
    for letter in chain.from_iterable(batches):
        tally.add(letter)
        yield letter


def _print_array(items: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array, an item at a time."""
    before = "["
    for item in items:
        typer.echo(f"{before}\n{textwrap.indent(json.dumps(item, indent=2), '  ')}", nl=False)
        before = ","
    typer.echo("[]" if before == "[" else "\n]")


def _history(connection: Connection, letter: Letter) -> list[dict[str, Any]]:
    """What the journal has of the letter's object generation, and of the letter itself."""
    rows = connection.rows(
        "SELECT `at`, event, service, detail FROM `ops.journal`"
        " WHERE (bucket = @bucket AND object = @object AND generation = @generation)"
        " OR JSON_VALUE(detail, '$.dead_letter_id') IN (@id, @replay_of) ORDER BY `at`",
        {
            "bucket": ("STRING", letter.bucket or ""),
            "object": ("STRING", letter.object or ""),
            "generation": ("INT64", letter.generation or 0),
            "id": ("STRING", letter.id),
            "replay_of": ("STRING", letter.replay_of or ""),
        },
    )
    return [read_event(row) for row in rows]
