"""`dropmerge up`, `down` and `env`: the local cloud from the command line."""

import shlex
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.cloud import LocalCloud
from deploy.local.errors import CloudError
from services.console.exits import fail
from services.console.options import HERE, State


def up(
    state: State = HERE,
    detach: Annotated[bool, typer.Option("--detach", help="Return once all is ready.")] = False,
    port_base: Annotated[
        int | None, typer.Option("--port-base", min=0, help="First of seven ports in a row; 0 picks free ones.")
    ] = None,
    feeds: Annotated[Path | None, typer.Option("--feeds", exists=True, file_okay=False)] = None,
    services: Annotated[
        Path | None,
        typer.Option("--services", exists=True, file_okay=False, help="Where ingest/main.py and merge/main.py are."),
    ] = None,
) -> None:
    """Start the local cloud, or what is missing of it."""
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A flag, not an exception: one between starting a part and recording it would leave it behind.
        signal.signal(number, lambda *_: asked_to_stop.set())
    cloud = LocalCloud(state, _progress, asked_to_stop.is_set)
    try:
        variables = cloud.up(port_base, feeds, services)
        _say_where(cloud, variables)
        if not detach:
            _stay(cloud, asked_to_stop)
    except CloudError as error:
        fail(error)


def down(state: State = HERE) -> None:
    """Stop the local cloud; its state stays for the next `up`."""
    stopped = LocalCloud(state, _progress).down()
    typer.echo("stopped" if stopped else f"no local cloud is up in {state.resolve()}")


def env(state: State = HERE) -> None:
    """Print `export` lines that point any Google client at the local cloud."""
    try:
        variables = LocalCloud(state).read()
    except CloudError as error:
        fail(error)
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _stay(cloud: LocalCloud, asked_to_stop: threading.Event) -> None:
    typer.echo("Ctrl-C stops it")
    known: list[str] = []
    while not asked_to_stop.wait(0.5):
        if not cloud.is_recorded():
            return  # `dropmerge down`, elsewhere
        dead = cloud.dead()
        for name in set(dead) - set(known):
            _progress(f"{name} has died; `dropmerge up` starts it again; its log: {cloud.log(name)}")
        known = dead
    cloud.down()


def _say_where(cloud: LocalCloud, variables: dict[str, str]) -> None:
    typer.echo(f"the local cloud is up; logs in {cloud.state / 'logs'}")
    for name, value in variables.items():
        if name.endswith("_URL"):
            typer.echo(f"  {name.removeprefix('DROPMERGE_').removesuffix('_URL').lower():10}{value}")


def _progress(line: str) -> None:
    typer.echo(line, err=True)
