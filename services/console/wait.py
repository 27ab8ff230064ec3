"""`dropmerge wait`: until nothing is in flight."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console

from services.console.connection import (
    FEEDS,
    HERE,
    Feeds,
    Project,
    State,
    errors_in_words,
    fail,
    open_connection,
)
from services.console.whereabouts import in_flight


def wait(
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="Seconds.")] = 600.0,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Wait until nothing is in flight; exit 1 on timeout."""
    with errors_in_words(), Console(stderr=True).status("looking") as line:
        connection = open_connection(state, project, feeds)
        deadline = time.monotonic() + timeout
        while True:
            moving, messages = in_flight(connection)
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
