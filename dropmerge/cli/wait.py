"""`dropmerge wait`: until nothing is in flight, and what became of each file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import FAILED, abort, report_errors
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    Feeds,
    Json,
    Project,
    State,
    Timeout,
    parse_age,
)
from dropmerge.cli.outcomes import count, count_steps, describe_all, why_not_ended
from dropmerge.cli.terminal import escape_unprintable, pluralize, progress, shorten_list
from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.events import recent_objects
from dropmerge.operations.loads.in_flight import InFlight, Snapshot
from dropmerge.operations.loads.landing import in_part
from dropmerge.operations.loads.merge_now import MergeNow
from dropmerge.operations.loads.outcomes import Outcome, read_outcomes
from dropmerge.operations.loads.status import LoadStatus, statuses_of
from services.shared.generation import ObjectGeneration

_PAUSE_SECONDS = 0.3


def wait(
    timeout: Timeout = 600.0,
    since: Annotated[
        timedelta,
        typer.Option("--since", parser=parse_age, metavar="AGE", help="Also report files uploaded within this time."),
    ] = "1h",  # type: ignore[assignment]  # typer parses it
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 unless all of these are merged, ignored or discarded.")
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Have staged files merged at once, whatever their feed's merge_every is.")
    ] = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Wait until nothing is in flight, then say what became of each file.

    It reports the files that were in flight meanwhile and those that were uploaded lately. If the timeout is over
    first, it prints where each file still is, with exit code 1.
    """
    with report_errors():
        connection = connect(state, project, feeds, timeout)
        hurry = MergeNow(connection).ask if now else None
        snapshot, seen = _await(InFlight(connection), time.monotonic() + timeout, hurry)
        outcomes = _outcomes(connection, seen, datetime.now(UTC) - since)
    failed = [one for one in outcomes if not one.is_fine]
    if as_json:
        typer.echo(json.dumps(_as_json(snapshot, outcomes), indent=2))
    if not snapshot.is_idle:
        pending = [escape_unprintable(f"{one.source}: {one.state}") for one in snapshot.pending]
        why = why_not_ended(state, project) or _nudge(connection, snapshot)
        abort("\n".join([*shorten_list(pending), *why, f"after {timeout:g} s: {_words(snapshot)}"]))
    if not as_json:
        _print(outcomes)
    if not snapshot.is_whole:
        typer.echo(in_part(connection), err=True)
    if strict and failed:
        raise typer.Exit(FAILED)


def _await(
    in_flight: InFlight, deadline: float, hurry: Callable[[Sequence[LoadStatus]], None] | None
) -> tuple[Snapshot, set[ObjectGeneration]]:
    """The last look, and all files that were in flight in one of them."""
    seen: set[ObjectGeneration] = set()
    # What is said at the end comes after the spinner, not into it.
    with progress().status("looking") as line:
        while True:
            snapshot = in_flight.snapshot()
            seen.update(one.source for one in snapshot.pending)
            if snapshot.is_idle or time.monotonic() >= deadline:
                return snapshot, seen
            if hurry:
                hurry(snapshot.pending)
            line.update(_words(snapshot))
            time.sleep(_PAUSE_SECONDS)


def _outcomes(connection: Connection, seen: set[ObjectGeneration], since: datetime) -> list[Outcome]:
    statuses = statuses_of(connection, seen | set(recent_objects(connection, since)))
    return read_outcomes(connection, sorted(statuses, key=lambda one: one.source.generation))


def _print(outcomes: list[Outcome]) -> None:
    for line in describe_all(one for one in outcomes if not one.is_merged):
        typer.echo(line)
    if outcomes:
        typer.echo(count(outcomes))
    typer.echo("nothing is in flight")


def _nudge(connection: Connection, snapshot: Snapshot) -> list[str]:
    topology = connection.topology
    pause = topology.subscriptions[topology.push_subscription("merge")]["retry"]["maximum_backoff_seconds"] // 60
    again = f"dropmerge backfill gs://{connection.landing}/{connection.landing_prefix}"
    line = (
        f"after an outage Pub/Sub pauses for up to {pause} min between tries: `{again}` announces these files at once"
    )
    return [line] if snapshot.pending else []


def _words(snapshot: Snapshot) -> str:
    """A file on its way is a message too; what is more than that belongs to no file that is in flight."""
    files = len(snapshot.pending)
    more = max(0, snapshot.messages - files)
    others = f"{pluralize(more, 'message')} in flight of files that have ended, or are no longer in the bucket"
    found = [*([count_steps(one.state for one in snapshot.pending)] if files else []), *([others] if more else [])]
    return "; ".join(found)


def _as_json(snapshot: Snapshot, outcomes: list[Outcome]) -> dict[str, object]:
    """Keys in_flight (files), messages_in_flight, files."""
    files = [{**one.source.fields, **one.as_json()} for one in outcomes]
    return {"in_flight": len(snapshot.pending), "messages_in_flight": snapshot.messages, "files": files}
