"""`dropmerge wait`: until nothing is in flight."""

from __future__ import annotations

import time

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import abort, report_errors
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Project, State, Timeout
from dropmerge.cli.terminal import escape_unprintable, pluralize, progress
from dropmerge.operations.loads.in_flight import InFlight, Snapshot

_SHOWN = 20
_PAUSE_SECONDS = 0.3


def wait(
    timeout: Timeout = 600.0,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Wait until nothing is in flight: each file merged, dead-lettered, superseded or ignored.

    Exit code 1, and what is still on its way, if that takes longer than the timeout.
    """
    with report_errors():
        deadline = time.monotonic() + timeout
        in_flight = InFlight(connect(state, project, feeds, timeout))
        # What is said at the end comes after the spinner, not into it.
        with progress().status("looking") as line:
            while not (snapshot := in_flight.snapshot()).is_idle and time.monotonic() < deadline:
                line.update(_words(snapshot))
                time.sleep(_PAUSE_SECONDS)
        if not snapshot.is_idle:
            for one in snapshot.pending[:_SHOWN]:
                typer.echo(escape_unprintable(f"{one.source}: {one.state}"), err=True)
            abort(f"after {timeout:g} s: {_words(snapshot)}")
    typer.echo("nothing is in flight")


def _words(snapshot: Snapshot) -> str:
    return f"{pluralize(len(snapshot.pending), 'file')} and {pluralize(snapshot.messages, 'message')} in flight"
