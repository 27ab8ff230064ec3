"""`dropmerge up`, `down` and `env`: the local cloud from the command line."""

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from dropmerge.cli.exit_codes import abort
from dropmerge.cli.options import DEFAULT_STATE_DIR, State
from dropmerge.cli.stop_signals import StopSignals
from dropmerge.cli.terminal import ignore_closed_stream
from localcloud.cloud import LocalCloud
from localcloud.errors import CloudError, Interrupted
from localcloud.ports import USUAL


def parse_port_base(text: str) -> int:
    """A port, 0 for free ones, or `default`."""
    if text == "default":
        return USUAL
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is not a port number, 0 (free ports) or default (the usual ones)")
    return int(text)


def up(
    state: State = DEFAULT_STATE_DIR,
    detach: Annotated[bool, typer.Option("--detach", help="Return once every part is ready.")] = False,
    port_base: Annotated[
        int | None,
        typer.Option(
            "--port-base",
            parser=parse_port_base,
            metavar="N",
            help="The first of seven ports in a row; 0 picks free ports, `default` the usual ones. Kept for the next "
            "`up`.",
        ),
    ] = None,
    feeds: Annotated[
        Path | None,
        typer.Option(
            "--feeds",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="The folder of contracts for the services. Kept for the next `up`. [default: deploy/feeds]",
        ),
    ] = None,
    services: Annotated[
        Path | None,
        typer.Option(
            "--services",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="The folder with ingest/main.py and merge/main.py. Kept for the next `up`. [default: services]",
        ),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Restart ingest and merge with the current contracts and code, then return. If nothing is running, "
            "start everything.",
        ),
    ] = False,
) -> None:
    """Start the local cloud, or whichever parts are not running, with the ports and folders of the last time.

    To return to a default, give the option once with the default's value.

    Example: dropmerge up --detach
    """
    stop = StopSignals()
    cloud = LocalCloud(state, _progress, stop.asked, check_feeds=_check_feeds)
    is_restart = restart and cloud.is_running()
    try:
        variables = cloud.up(port_base, feeds, services, restart)
        _say_where(cloud, variables)
        if not detach and not is_restart:
            _stay(cloud, stop)
    except Interrupted:
        _progress("interrupted: everything that was started has been stopped")
        raise typer.Exit(stop.code) from None
    except CloudError as error:
        abort(error)


def down(state: State = DEFAULT_STATE_DIR) -> None:
    """Stop the local cloud. The next `up` starts with its state, ports and folders."""
    stopped = LocalCloud(state, _progress).down()
    typer.echo("stopped" if stopped else f"no local cloud is running in {state.resolve()}")


def env(state: State = DEFAULT_STATE_DIR) -> None:
    """Print `export` lines that point any Google client at the local cloud.

    Example: eval "$(dropmerge env)"
    """
    try:
        variables = LocalCloud(state).read()
    except CloudError as error:
        abort(error)
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _stay(cloud: LocalCloud, stop: StopSignals) -> None:
    """Until it is stopped, which is what was asked for: exit code 0."""
    _say("Ctrl-C stops it")
    known: list[str] = []
    while not stop.asked():
        time.sleep(0.2)
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
    from services.shared.contract.reader import ContractError, read_feeds

    try:
        read_feeds(folder)
    except ContractError as error:
        raise CloudError(f"{error}\nNothing was started or stopped: fix the contract first.") from error


def _say_where(cloud: LocalCloud, variables: dict[str, str]) -> None:
    _say(f"the local cloud is running; its logs are in {cloud.state / 'logs'}")
    for name, value in variables.items():
        if name.endswith("_URL"):
            _say(f"  {name.removeprefix('DROPMERGE_').removesuffix('_URL').lower():10}{value}")


def _say(line: str) -> None:
    with ignore_closed_stream(sys.stdout):
        typer.echo(line)


def _progress(line: str) -> None:
    with ignore_closed_stream(sys.stderr):
        typer.echo(line, err=True)
