"""`dropmerge dead-letters list | show | replay | discard`."""

from __future__ import annotations

import fnmatch
import getpass
import json
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.console.connection import (
    FEEDS,
    HERE,
    Connection,
    Feeds,
    Json,
    Project,
    State,
    errors_in_words,
    fail,
    open_connection,
)
from services.console.letters import SERVICES, Letter, discard, give_back, read_letters, replay
from services.shared.errors import REASONS
from services.shared.journal import Journal

commands = typer.Typer(no_args_is_help=True, help="Messages that could not go on.")

_MOST_REPLAYS = 5

Reason = Annotated[str | None, typer.Option("--reason")]
FeedName = Annotated[str | None, typer.Option("--feed")]
Object = Annotated[str | None, typer.Option("--object", help="A glob on the object's name.")]
OlderThan = Annotated[str | None, typer.Option("--older-than", help="Such as 90s, 30m, 12h, 7d.")]
Id = Annotated[list[str] | None, typer.Option("--id")]
Service = Annotated[str | None, typer.Option("--service", help="ingest or merge.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")]
Rate = Annotated[float | None, typer.Option("--rate", min=0.001, help="Messages a second at most.")]


class _Filter:
    def __init__(
        self,
        reason: str | None,
        feed: str | None,
        glob: str | None,
        older: str | None,
        ids: list[str] | None,
        service: str | None,
    ) -> None:
        if service is not None and service not in SERVICES:
            fail(f"--service is one of: {', '.join(SERVICES)}", 2)
        if reason is not None and reason not in REASONS:
            fail(f"--reason {reason!r} is not one of: {', '.join(REASONS)}", 2)
        self.services = (service,) if service else SERVICES
        self._reason, self._feed, self._glob, self._ids = reason, feed, glob, set(ids or [])
        self._before = datetime.now(UTC) - _age(older) if older else None

    def wants(self, letter: Letter) -> bool:
        return (
            (self._reason is None or letter.reason == self._reason)
            and (self._feed is None or letter.feed == self._feed)
            and (self._glob is None or fnmatch.fnmatchcase(letter.object or "", self._glob))
            and (not self._ids or letter.id in self._ids)
            and (self._before is None or datetime.fromisoformat(letter.dead_lettered_at) < self._before)
        )


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        fail(f"--older-than {text!r} is not a number and s, m, h or d", 2)
    return timedelta(seconds=int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]])


def _gather(connection: Connection, chosen: _Filter, limit: int | None) -> list[Letter]:
    """The letters wanted, still leased; all others given back."""
    wanted: list[Letter] = []
    others: list[Letter] = []
    for batch in read_letters(connection, chosen.services):
        for letter in batch:
            take = chosen.wants(letter) and (limit is None or len(wanted) < limit)
            (wanted if take else others).append(letter)
    give_back(connection, others)
    return wanted


def _histogram(letters: list[Letter]) -> None:
    table = Table("service", "reason", "feed", "letters")
    counts = Counter((one.service, one.reason, one.feed or "") for one in letters)
    for key, count in counts.most_common():
        table.add_row(*key, str(count))
    Console().print(table)


@commands.command("list")
def list_letters(
    reason: Reason = None,
    feed: FeedName = None,
    object_: Object = None,
    older_than: OlderThan = None,
    ids: Id = None,
    service: Service = None,
    limit: Limit = None,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """The dead letters that wait, and how many of each kind."""
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        letters = _gather(connection, _Filter(reason, feed, object_, older_than, ids, service), limit)
        give_back(connection, letters)
    if as_json:
        hidden = ("data", "attributes")
        typer.echo(json.dumps([{k: v for k, v in x.public().items() if k not in hidden} for x in letters], indent=2))
        return
    if not letters:
        typer.echo("no dead letters")
        return
    _histogram(letters)
    for one in letters:
        where = f"{one.object}#{one.generation}" if one.object else "-"
        typer.echo(f"{one.id}  {one.dead_lettered_at}  {one.reason}  {where}  {one.error.splitlines()[0][:120]}")


@commands.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID")],
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """One dead letter, whole."""
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        letters = _gather(connection, _Filter(None, None, None, None, [letter_id], None), 1)
        give_back(connection, letters)
    if not letters:
        fail(f"no dead letter {letter_id} waits: `dropmerge dead-letters list` shows those that do")
    (letter,) = letters
    if as_json:
        typer.echo(json.dumps(letter.public(), indent=2))
        return
    for name, value in letter.public().items():
        if name not in ("data", "attributes"):
            typer.echo(f"{name}: {value}")
    typer.echo(f"meaning: {REASONS.get(letter.reason, '')}")
    typer.echo(f"attributes: {json.dumps(letter.attributes, indent=2)}")
    typer.echo(f"data: {letter.data.decode('utf-8', 'backslashreplace')}")


@commands.command("replay")
def replay_letters(
    reason: Reason = None,
    feed: FeedName = None,
    object_: Object = None,
    older_than: OlderThan = None,
    ids: Id = None,
    service: Service = None,
    limit: Limit = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    force: Annotated[bool, typer.Option("--force", help="Also what was replayed too often.")] = False,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Publish the originals again, to the topic each came from."""
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        letters = _gather(connection, _Filter(reason, feed, object_, older_than, ids, service), limit)
        worn = [x for x in letters if x.replay_count >= _MOST_REPLAYS and not force]
        ready = [x for x in letters if x not in worn]
        if dry_run:
            give_back(connection, letters)
        else:
            give_back(connection, worn)
            for letter in ready:
                replay(connection, letter, _journal(connection), getpass.getuser())
                if rate:
                    time.sleep(1 / rate)
    _report("would replay" if dry_run else "replayed", ready, as_json)
    if worn:
        fail(f"{len(worn)} were replayed {_MOST_REPLAYS} times already and stay: --force replays them")
    if ids and not letters:
        fail("no such dead letter waits")


@commands.command("discard")
def discard_letters(
    why: Annotated[str, typer.Option("--why", help="For the journal.")],
    reason: Reason = None,
    feed: FeedName = None,
    object_: Object = None,
    older_than: OlderThan = None,
    ids: Id = None,
    service: Service = None,
    limit: Limit = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Give dead letters up, with a reason that the journal keeps."""
    if not why.strip():
        fail("--why is empty", 2)
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        letters = _gather(connection, _Filter(reason, feed, object_, older_than, ids, service), limit)
        if dry_run:
            give_back(connection, letters)
        else:
            for letter in letters:
                discard(connection, letter, _journal(connection), getpass.getuser(), why)
    _report("would discard" if dry_run else "discarded", letters, as_json)


def _report(verb: str, letters: list[Letter], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([letter.id for letter in letters]))
        return
    if letters:
        _histogram(letters)
    typer.echo(f"{verb} {len(letters)} dead letters")


def _journal(connection: Connection) -> Journal:
    return Journal(connection.warehouse.client, "ops", "console")
