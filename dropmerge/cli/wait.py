"""`dropmerge wait`: until nothing is in flight."""

from __future__ import annotations

import time
from collections.abc import Sequence

import typer

from dropmerge.cli.exit_codes import errors_in_words, fail
from dropmerge.cli.options import FEEDS, HERE, Feeds, Project, Seconds, State
from dropmerge.cli.terminal import counted, progress, visible
from dropmerge.operations.connection import open_connection
from dropmerge.operations.loads.in_flight import InFlight
from dropmerge.operations.loads.status import Whereabouts

_SHOWN = 20


def wait(
    timeout: Seconds = 600.0,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Wait until nothing is in flight: each file merged, dead-lettered, superseded or ignored.

    Exit code 1, and what is still on its way, if that takes longer than the timeout.
    """
    with errors_in_words():
        deadline = time.monotonic() + timeout
        in_flight = InFlight(open_connection(state, project, feeds, timeout))
        # What is said at the end comes after the spinner, not into it.
        with progress().status("looking") as line:
            while True:
                moving, messages = in_flight.now()
                if not moving and not messages:
                    break
                line.update(_words(moving, messages))
                if time.monotonic() >= deadline:
                    break
                time.sleep(0.3)
        if moving or messages:
            for one in moving[:_SHOWN]:
                typer.echo(visible(f"gs://{one.bucket}/{one.object}#{one.generation}: {one.state}"), err=True)
            fail(f"after {timeout:g} s: {_words(moving, messages)}")
    typer.echo("nothing is in flight")


def _words(moving: Sequence[Whereabouts], messages: int) -> str:
    return f"{counted(len(moving), 'file')} and {counted(messages, 'message')} in flight"
