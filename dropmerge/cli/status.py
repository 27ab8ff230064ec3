"""`dropmerge status`: a feed a line."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.topology import SERVICES
from dropmerge.cli.exit_codes import describe_error, report_errors, usage_error
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Json, Project, State
from dropmerge.cli.terminal import clear, pluralize, print_table, table
from dropmerge.operations.connection import Connection, open_connection
from dropmerge.operations.loads.in_flight import InFlight
from dropmerge.operations.loads.status import LoadStatus, is_in_flight, list_landing_objects, messages_in_flight
from dropmerge.operations.no_answer import BIGQUERY, NoAnswer
from services.shared.load import staging_table

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
        connection = open_connection(state, project, feeds)
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
        typer.echo(json.dumps(answer, indent=2))
        return
    print_table(_table(answer))
    typer.echo(_below(answer))


def read_status(connection: Connection, in_flight: InFlight) -> dict[str, Any]:
    """Four queries, whatever the number of feeds; listings and metrics cost none."""
    found, messages = in_flight.snapshot()
    ledger = {row["feed"]: row for row in _ledger(connection)}
    counts = {(row["feed"], row["event"]): row["n"] for row in _journal(connection)}
    rejected = {row["feed"]: row["n"] for row in _rejected(connection)}
    staged = _staged(connection, {one.load_id for one in found if one.state == "merged"})
    answer = {}
    for name in connection.feeds:
        own = [one for one in found if one.feed == name]
        moving = [one for one in own if is_in_flight(one)]
        merged = ledger.get(name, {})
        answer[name] = {
            "in_flight": len(moving),
            "staged": staged[name],
            "merged": merged.get("merged", 0),
            "merged_last_hour": merged.get("last_hour", 0),
            "merged_last_day": merged.get("last_day", 0),
            "superseded": counts.get((name, "superseded"), 0),
            "rejected_rows": rejected.get(name, 0),
            "dead_letters": counts.get((name, "dead_lettered"), 0) + sum(one.dead_letter is not None for one in own),
            "last_file": _file(max(own, key=lambda one: one.created, default=None)),
            "oldest_waiting": _file(min(moving, key=lambda one: one.created, default=None)),
        }
    letters = sum(connection.undelivered(f"{service}-dead-letter") for service in SERVICES)
    return {"feeds": answer, "dead_letters": letters, "messages_in_flight": messages}


def _ledger(connection: Connection) -> Iterator[dict[str, Any]]:
    rows = connection.rows(
        "SELECT feed, COUNT(*) AS merged,"
        " COUNTIF(merged_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)) AS last_hour,"
        " COUNTIF(merged_at > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS last_day"
        " FROM `ops.ledger` GROUP BY feed"
    )
    return (dict(row) for row in rows)


def _journal(connection: Connection) -> list[Any]:
    """Loads superseded, and dead letters: of Pub/Sub's own there is a word only when replayed or discarded."""
    return connection.rows(
        "SELECT feed, IF(event = 'superseded', event, 'dead_lettered') AS event,"
        " COUNT(DISTINCT IF(event = 'superseded', load_id, JSON_VALUE(detail, '$.dead_letter_id'))) AS n"
        " FROM `ops.journal` WHERE event IN ('superseded', 'dead_lettered', 'replayed', 'discarded') GROUP BY 1, 2"
    )


def _rejected(connection: Connection) -> list[Any]:
    return connection.rows("SELECT feed, COUNT(*) AS n FROM `ops.rejected_rows` GROUP BY feed")


def _staged(connection: Connection, merged: set[str | None]) -> Counter[str]:
    """Staging tables that wait, by feed. One that was merged may take a moment to be dropped."""
    tables = connection.warehouse.list_tables("staging", "")
    return Counter(
        {
            name: sum(
                table.removeprefix(staging_table(name, "")) not in merged
                for table in tables
                if table.startswith(staging_table(name, ""))
            )
            for name in connection.feeds
        }
    )


def _file(one: LoadStatus | None) -> dict[str, Any] | None:
    if one is None:
        return None
    at = one.created.isoformat()
    return {"bucket": one.bucket, "object": one.object, "generation": one.generation, "at": at, "state": one.state}


def _watch(connection: Connection, in_flight: InFlight) -> None:
    """Again and again. What cannot be read is said above the last figures that could, until Ctrl-C."""
    over = threading.Event()

    def leave(*_: object) -> None:
        over.set()
        # It may be raised, and lost, in a library's callback: then the round that is under way is the last.
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, leave)
    answer: dict[str, Any] | None = None
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


def _show_screen(answer: dict[str, Any] | None, as_of: str, trouble: str | None) -> None:
    if trouble:
        typer.secho(trouble, fg="red")
        typer.echo(f"the figures below are old, of {as_of}" if answer else "no figures yet")
    if answer:
        lines = _table(answer)
        lines.style = "dim" if trouble else ""
        print_table(lines)
        typer.echo(f"{_below(answer)}; as of {as_of}")


def _table(answer: dict[str, Any]) -> Table:
    lines = table("feed", "last file", "waiting", "staged", "merged", "rejected rows", "dead letters")
    for name, counts in answer["feeds"].items():
        last, oldest = counts["last_file"], counts["oldest_waiting"]
        waiting = f"{counts['in_flight']}, oldest {_ago(oldest['at'])}" if oldest else "0"
        merged = f"{counts['merged']} ({counts['merged_last_hour']} in 1 h, {counts['merged_last_day']} in 1 d)"
        lines.add_row(
            name,
            f"{last['object'].rpartition('/')[2]}, {_ago(last['at'])}" if last else "",
            waiting,
            str(counts["staged"]),
            merged,
            str(counts["rejected_rows"]),
            str(counts["dead_letters"]),
        )
    return lines


def _queues(connection: Connection) -> str:
    """What is known without the warehouse."""
    letters = sum(connection.undelivered(f"{service}-dead-letter") for service in SERVICES)
    files = pluralize(len(list_landing_objects(connection)), "file")
    messages = pluralize(messages_in_flight(connection), "message")
    return f"{files} in gs://{connection.landing}, {messages} in flight, {pluralize(letters, 'dead letter')} waiting"


def _below(answer: dict[str, Any]) -> str:
    return f"dead letters waiting: {answer['dead_letters']}; messages in flight: {answer['messages_in_flight']}"


def _ago(at: str) -> str:
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{max(0, seconds)} s ago"
