"""`dropmerge status`: one line per feed."""

from __future__ import annotations

import json
import signal
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import describe_error, report_errors, usage_error
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Json, Project, State
from dropmerge.cli.terminal import clear, pluralize, print_table, table
from dropmerge.operations.backlog import messages_in_flight, waiting_dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.in_flight import InFlight
from dropmerge.operations.loads.status import list_landing_objects
from dropmerge.operations.no_answer import BIGQUERY, NoAnswer
from dropmerge.operations.status import Status, read_status

if TYPE_CHECKING:
    from rich.table import Table

_EVERY_SECONDS = 5.0


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Again every five seconds, until Ctrl-C.")] = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """How each feed stands: counts since the beginning; in flight and staged as of now."""
    if watch and as_json:
        usage_error("--watch and --json exclude each other")
    with report_errors():
        connection = connect(state, project, feeds)
        in_flight = InFlight(connection)
        if watch:
            _watch(connection, in_flight)
            return
        try:
            answer = read_status(connection, in_flight)
        except NoAnswer as error:
            if error.api == BIGQUERY:
                typer.echo(f"known all the same: {_queues(connection)}", err=True)
            raise
    if as_json:
        typer.echo(json.dumps(answer.as_json(), indent=2))
        return
    print_table(_table(answer))
    typer.echo(_below(answer))


def _watch(connection: Connection, in_flight: InFlight) -> None:
    """Again and again. What cannot be read is said above the last figures that could, until Ctrl-C."""
    over = threading.Event()

    def leave(*_: object) -> None:
        over.set()
        # It may be raised, and lost, in a library's callback: then the round that is under way is the last.
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, leave)
    answer: Status | None = None
    as_of = ""
    while not over.is_set():
        try:
            trouble = None
            try:
                answer = read_status(connection, in_flight)
                as_of = f"{datetime.now(UTC):%H:%M:%S} UTC"
            except Exception as error:
                trouble = describe_error(error)
                if trouble is None or (answer is None and not isinstance(error, NoAnswer)):
                    raise
            clear()
            _show_screen(answer, as_of, trouble)
            over.wait(_EVERY_SECONDS)
        except KeyboardInterrupt:
            return


def _show_screen(answer: Status | None, as_of: str, trouble: str | None) -> None:
    if trouble:
        typer.secho(trouble, fg="red")
        typer.echo(f"the figures below are old, of {as_of}" if answer else "no figures yet")
    if answer:
        lines = _table(answer)
        lines.style = "dim" if trouble else ""
        print_table(lines)
        typer.echo(f"{_below(answer)}; as of {as_of}")


def _table(answer: Status) -> Table:
    lines = table("feed", "last file", "waiting", "staged", "merged", "rejected rows", "lost in file", "dead letters")
    for name, counts in answer.feeds.items():
        last, oldest = counts.last_file, counts.oldest_waiting
        waiting = f"{counts.in_flight}, oldest {_ago(oldest.at)}" if oldest else "0"
        lines.add_row(
            name,
            f"{last.object.rpartition('/')[2]}, {_ago(last.at)}" if last else "",
            waiting,
            str(counts.staged),
            f"{counts.merged} ({counts.merged_last_hour} in 1 h, {counts.merged_last_day} in 1 d)",
            str(counts.rejected_rows),
            str(counts.lost_in_file),
            str(counts.dead_letters),
        )
    return lines


def _queues(connection: Connection) -> str:
    """What is known without the warehouse."""
    dead_letters = waiting_dead_letters(connection)
    files = pluralize(len(list_landing_objects(connection)), "file")
    messages = pluralize(messages_in_flight(connection), "message")
    waiting = pluralize(dead_letters, "dead letter")
    return f"{files} in gs://{connection.landing}, {messages} in flight, {waiting} waiting"


def _below(answer: Status) -> str:
    waiting = f"dead letters waiting: {answer.dead_letters}; messages in flight: {answer.messages_in_flight}"
    differences = list(answer.contracts.differences())
    deploy = ["deploy them, or on this machine: `dropmerge up --restart`"] if differences else []
    return "\n".join([*differences, *deploy, waiting])


def _ago(at: datetime) -> str:
    seconds = int((datetime.now(UTC) - at).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{max(0, seconds)} s ago"
