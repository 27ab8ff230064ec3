"""`dropmerge doctor`: what answers, what is missing, and what to do."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from importlib.metadata import version

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import FAILED, report_errors
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Json, Project, State
from dropmerge.cli.terminal import escape_unprintable, pluralize
from dropmerge.cli.times import as_of
from dropmerge.operations.doctor import examine

_HEALTHY = "every part is as it should be; `dropmerge status` says whether a file needs somebody"


def doctor(
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Check contracts, buckets, queues, tables, views and services, each for six seconds at most.

    Each line says OK, or what is wrong and what to do. Exit code 1 if anything is wrong.
    """
    with report_errors():
        found = examine(connect(state, project, feeds))
    wrong = [one for one in found if one.trouble]
    if as_json:
        typer.echo(json.dumps({"version": version("dropmerge"), "findings": [asdict(one) for one in found]}, indent=2))
    else:
        for one in found:
            text = escape_unprintable(one.trouble or one.note)
            typer.echo(f"{one.state:5} {one.what}{f': {text}' if text else ''}")
        typer.echo(f"dropmerge {version('dropmerge')}, Python {platform.python_version()}", err=True)
        typer.echo(f"{pluralize(len(wrong), 'thing')} to do" if wrong else _HEALTHY, err=True)
        as_of()
    if wrong:
        raise typer.Exit(FAILED)
