"""`dropmerge status`: what needs somebody, and one line per feed."""

from __future__ import annotations

import json
import signal
import time
from datetime import timedelta
from typing import Annotated

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import FAILED, report_errors, usage_error
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Json, Project, State, parse_age
from dropmerge.cli.status_screen import print_problem, print_status, print_trouble
from dropmerge.cli.terminal import clear, pluralize
from dropmerge.operations.backlog import messages_in_flight, waiting_dead_letters
from dropmerge.operations.connection import Connection
from dropmerge.operations.describe_error import describe_error
from dropmerge.operations.loads.landing import MOST_NAMES, list_names
from dropmerge.operations.no_answer import BIGQUERY, NoAnswer
from dropmerge.operations.status.check import check as check_all
from dropmerge.operations.status.read import Reader, Status

_EVERY_SECONDS = 5.0


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every five seconds, until Ctrl-C.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="One line per problem, exit code 1 if there is any: for cron and CI.")
    ] = False,
    max_age: Annotated[
        timedelta,
        typer.Option(
            "--max-age",
            parser=parse_age,
            metavar="AGE",
            help="How long a file may be on its way, such as 90s or 12h. [default: 30m]",
            show_default=False,
        ),
    ] = "30m",  # type: ignore[assignment]  # the parser makes a timedelta of it
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show what needs somebody, and the state of each feed and service. --json adds counts since the beginning."""
    if watch and (as_json or check):
        usage_error("--watch and --json exclude each other" if as_json else "--watch and --check exclude each other")
    with report_errors():
        connection = connect(state, project, feeds)
        reader = Reader(connection, max_age)
        if watch:
            _watch(reader)
        elif check:
            _check(connection, reader, as_json)
        else:
            _show(connection, reader, as_json)


def _show(connection: Connection, reader: Reader, as_json: bool) -> None:
    try:
        answer = reader.read(with_totals=as_json)
    except NoAnswer as error:
        if error.api == BIGQUERY:
            typer.echo(f"known all the same: {_queues(connection)}", err=True)
        raise
    if as_json:
        typer.echo(json.dumps(answer.as_json(), indent=2))
    else:
        print_status(answer)


def _check(connection: Connection, reader: Reader, as_json: bool) -> None:
    found = check_all(connection, reader)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
    elif found.is_ok:
        typer.echo(f"OK: nothing needs anybody, as of {found.as_of:%H:%M:%S} UTC")
    else:
        for problem in found.problems:
            print_problem(problem)
    if not found.is_ok:
        raise typer.Exit(FAILED)


def _watch(reader: Reader) -> None:
    """Again and again. What cannot be read is said above the last figures that could, until Ctrl-C."""
    # Not an Event: its lock may be held by what the signal interrupts, and set() would wait for it forever.
    is_over = False

    def leave(*_: object) -> None:
        nonlocal is_over
        is_over = True
        # It may be raised, and lost, in a library's callback: then the round that is under way is the last.
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, leave)
    answer: Status | None = None
    try:
        while not is_over:
            answer, trouble = _read(reader, answer)
            clear()
            if trouble:
                print_trouble(trouble, answer)
            if answer:
                print_status(answer, is_old=trouble is not None)
            time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        return


def _read(reader: Reader, last: Status | None) -> tuple[Status | None, str | None]:
    """The figures; or the last ones, and why there are no newer ones."""
    try:
        return reader.read(), None
    except Exception as error:
        trouble = describe_error(error)
        if trouble is None or (last is None and not isinstance(error, NoAnswer)):
            raise
        return last, trouble


def _queues(connection: Connection) -> str:
    """What is known without the warehouse."""
    dead_letters = waiting_dead_letters(connection)
    found = sum(1 for _ in list_names(connection, connection.landing_prefix))
    files = pluralize(found, "file") if found < MOST_NAMES else f"{MOST_NAMES} files or more"
    messages = pluralize(messages_in_flight(connection), "message")
    waiting = pluralize(dead_letters, "dead letter")
    return f"{files} in gs://{connection.landing}, {messages} in flight, {waiting} waiting"
