"""`dropmerge up`, `down` and `env`: the local cloud from the command line."""

import shlex
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.cloud import LocalCloud
from deploy.local.errors import CloudError
from deploy.local.ports import USUAL
from services.console.exits import fail
from services.console.options import HERE, State


def read_port_base(text: str) -> int:
    """A port, 0 for free ones, or `default`."""
    if text == "default":
        return USUAL
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is not a port number, 0 (free ports) or default (the usual ones)")
    return int(text)


def up(
    state: State = HERE,
    detach: Annotated[bool, typer.Option("--detach", help="Return once all is ready.")] = False,
    port_base: Annotated[
        int | None,
        typer.Option(
            "--port-base",
            parser=read_port_base,
            metavar="N",
            help="First of seven ports in a row; 0 picks free ones, `default` the usual ones. Kept for the next `up`.",
        ),
    ] = None,
    feeds: Annotated[
        Path | None,
        typer.Option(
            "--feeds",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="The folder of contracts for the services; the default is deploy/feeds. Kept for the next `up`.",
        ),
    ] = None,
    services: Annotated[
        Path | None,
        typer.Option(
            "--services",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Where ingest/main.py and merge/main.py are; the default is services. Kept for the next `up`.",
        ),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Restart ingest and merge, with the contracts and the code as they are now, and return. If nothing is"
            " up, start everything.",
        ),
    ] = False,
) -> None:
    """Start the local cloud, or what is missing of it, with the ports and folders of the last time.

    To get back to a default, give the option once with the default's value.
    """
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A flag, not an exception: one between starting a part and recording it would leave it behind.
        signal.signal(number, lambda *_: asked_to_stop.set())
    cloud = LocalCloud(state, _progress, asked_to_stop.is_set, check_feeds=_check_feeds)
    is_restart = restart and cloud.is_running()
    try:
        variables = cloud.up(port_base, feeds, services, restart)
        _say_where(cloud, variables)
        if not detach and not is_restart:
            _stay(cloud, asked_to_stop)
    except CloudError as error:
        fail(error)


def down(state: State = HERE) -> None:
    """Stop the local cloud. Its state stays for the next `up`, and so do its ports and folders."""
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
        if dead != known:
            if cloud.is_changing():
                continue  # `dropmerge up --restart`, elsewhere
            dead = cloud.dead()
        for name in set(dead) - set(known):
            _progress(f"{name} has died; `dropmerge up` starts it again; its log: {cloud.log(name)}")
        known = dead
    cloud.down()


def _check_feeds(folder: Path) -> None:
    from services.shared.feed import BadContract, read_feeds

    try:
        read_feeds(folder)
    except BadContract as error:
        raise CloudError(f"{error}\nNothing was started or stopped: fix the contract first.") from error


def _say_where(cloud: LocalCloud, variables: dict[str, str]) -> None:
    typer.echo(f"the local cloud is up; logs in {cloud.state / 'logs'}")
    for name, value in variables.items():
        if name.endswith("_URL"):
            typer.echo(f"  {name.removeprefix('DROPMERGE_').removesuffix('_URL').lower():10}{value}")


def _progress(line: str) -> None:
    typer.echo(line, err=True)
