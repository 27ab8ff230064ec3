"""What commands have in common: the connection, and the question before something is changed."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import typer

from dropmerge.cli.terminal import require_terminal
from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone

Say = Callable[[str], None]
"""What to do with a line on a wait that takes long."""


def connect(
    state: Path, project: str | None, feeds: Path, seconds: float = math.inf, say: Say | None = None
) -> Connection:
    """Point the process at the local cloud of `state`, or at a Google Cloud project. Raises NotDone.

    `seconds`: how long the command may take by its own option, if it has one.
    """
    ends_at = time.monotonic() + seconds
    if project:
        return Connection(project, feeds, f"{project}-", ends_at, say or _say)
    from localcloud.cloud import LocalCloud
    from localcloud.errors import CloudError

    try:
        os.environ.update(LocalCloud(state).read())
    except CloudError as error:
        raise NotDone(str(error)) from error
    return Connection(os.environ["GOOGLE_CLOUD_PROJECT"], feeds, ends_at=ends_at, say=say or _say)


def require_confirmation(what: str, dry_run: bool, yes: bool) -> None:
    """Misuse of the command line where the command would have to ask and there is no terminal to ask at."""
    if not dry_run and not yes:
        require_terminal(what)


def _say(line: str) -> None:
    """Never in a command's output."""
    typer.echo(line, err=True)
