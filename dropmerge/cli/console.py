"""`dropmerge console`: the same in a browser."""

from __future__ import annotations

import os
import pwd
import socket
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import abort, report_errors
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Project, State
from dropmerge.operations.light_imports import import_bigquery

if TYPE_CHECKING:
    from dropmerge.operations.connection import Connection

_PORT = 8080


def console(
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1024, max=65535, metavar="N", help=f"Listen here. [default: {_PORT}, else a free one]"
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Change nothing: no replay, no discard.")] = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show the pipeline as a page on this machine, until Ctrl-C: what needs somebody, each file's way, dead letters.

    The printed address has a token: whoever has it may do what this command's account may.

    Example: dropmerge console --open
    """
    import_bigquery()
    from dropmerge.page.access import Role
    from dropmerge.page.app import make_app
    from dropmerge.page.child import starter
    from dropmerge.page.local_access import Local
    from dropmerge.page.serve import serve

    current = _same_again(state, project, feeds)
    with report_errors():
        _ = current().feeds
    listener = _listen(port)
    role = Role.VIEWER if read_only else Role.OPERATOR
    access = Local(pwd.getpwuid(os.getuid()).pw_name, listener.getsockname()[1], role)

    def ready() -> None:
        typer.echo(access.address)
        typer.echo("the page is at this address, for you alone; Ctrl-C ends it", err=True)
        if open_:
            threading.Thread(target=webbrowser.open, args=[access.address], daemon=True).start()

    serve(make_app(current, access, starter(current, state / "logs")), listener, ready)


def _listen(port: int | None) -> socket.socket:
    """At the port that was given; where none was, at the usual one, or at another that is free."""
    from dropmerge.page.serve import listen

    try:
        return listen("127.0.0.1", port or _PORT)
    except OSError as error:
        if port is None:
            return listen("127.0.0.1", 0)
        abort(f"127.0.0.1:{port} cannot be listened on ({error.strerror}): choose another --port, or leave it out")


def _same_again(state: Path, project: str | None, feeds: Path) -> Callable[[], Connection]:
    """A connection is kept, until a part of the local cloud was started again, or a contract has changed."""
    last: tuple[object, Connection] | None = None
    lock = threading.Lock()

    def current() -> Connection:
        nonlocal last
        with lock:
            found = replace(connect(state, project, feeds, say=_nothing), may_lease=False)
            key = (dict(os.environ), _stamps(feeds))
            if last is None or last[0] != key:
                last = (key, found)
            return last[1]

    return current


def _nothing(_: str) -> None:
    """The page itself says what takes long."""


def _stamps(feeds: Path) -> list[tuple[str, float]]:
    return sorted((path.name, path.stat().st_mtime) for path in feeds.glob("*.y*ml"))
