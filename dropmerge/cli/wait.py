"""`dropmerge wait`: until nothing is in flight."""

from __future__ import annotations

import time
from collections.abc import Sequence

import typer

from dropmerge.cli.exit_codes import abort, report_errors
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Project, State, Timeout
from dropmerge.cli.terminal import escape_unprintable, pluralize, progress
from dropmerge.operations.connection import open_connection
from dropmerge.operations.loads.in_flight import InFlight
from dropmerge.operations.loads.status import LoadStatus

_SHOWN = 20


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
        in_flight = InFlight(open_connection(state, project, feeds, timeout))
        # What is said at the end comes after the spinner, not into it.
        with progress().status("looking") as line:
            while True:
                moving, messages = in_flight.pending()
                if not moving and not messages:
                    break
                line.update(_words(moving, messages))
                if time.monotonic() >= deadline:
                    break
                time.sleep(0.3)
        if moving or messages:
            for one in moving[:_SHOWN]:
                typer.echo(
                    escape_unprintable(f"gs://{one.bucket}/{one.object}#{one.generation}: {one.state}"), err=True
                )
            abort(f"after {timeout:g} s: {_words(moving, messages)}")
    typer.echo("nothing is in flight")


def _words(moving: Sequence[LoadStatus], messages: int) -> str:
    return f"{pluralize(len(moving), 'file')} and {pluralize(messages, 'message')} in flight"
