"""`dropmerge wait`: until nothing is in flight."""

from __future__ import annotations

import time

import typer

from services.console.connection import open_connection
from services.console.exits import errors_in_words, fail
from services.console.in_flight import InFlight
from services.console.options import FEEDS, HERE, Feeds, Project, Seconds, State
from services.console.person import progress


def wait(
    timeout: Seconds = 600.0,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Wait until nothing is in flight: each file merged, dead-lettered, superseded or ignored.

    Exit code 1, and what is still on its way, if that takes longer than the timeout.
    """
    with errors_in_words(), progress().status("looking") as line:
        connection = open_connection(state, project, feeds)
        in_flight, deadline = InFlight(connection), time.monotonic() + timeout
        while True:
            moving, messages = in_flight.now()
            if not moving and not messages:
                break
            said = f"{len(moving)} files and {messages} messages in flight"
            line.update(said)
            if time.monotonic() >= deadline:
                for one in moving[:20]:
                    typer.echo(f"gs://{one.bucket}/{one.object}#{one.generation}: {one.state}", err=True)
                fail(f"after {timeout:g} s: {said}")
            time.sleep(0.3)
    typer.echo("nothing is in flight")
