"""`dropmerge preview`: what a file in the bucket would do to its main table."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropmerge.cli import trial_words
from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import FAILED, report_errors
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Json, Project, State
from dropmerge.cli.sandboxed import progress_of_long_work
from dropmerge.cli.terminal import escape_unprintable

if TYPE_CHECKING:
    from dropmerge.operations.trial.preview import Previewed


def preview(
    uri: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="The file, by its URI, its name or the end of it, or an id; by default its latest generation.",
        ),
    ],
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show what a file in the bucket would do to its main table, without changing it. The file may be merged already.

    The file is read by the contract in your folder, not by the one that the services run. Exit code 1 if the file or
    one of its rows is rejected.

    Example: dropmerge preview gs://landing/incoming/accounts/day1.csv
    """
    # It brings Google's clients with it.
    from dropmerge.operations.trial.preview import preview as run

    with report_errors(), _ended_by_sigterm(), progress_of_long_work() as tell:
        found = run(connect(state, project, feeds), uri, tell)
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=2, ensure_ascii=False))
    else:
        for line in _lines(found):
            typer.echo(escape_unprintable(line))
    if not found.read.is_good:
        raise typer.Exit(FAILED)


def _lines(found: Previewed) -> Iterator[str]:
    yield f"{found.source}, feed {found.feed.name}, contract {found.feed.fingerprint}"
    for line in trial_words.lines(found.feed, found.read, found.effect, found.price):
        yield f"  {line}"
    if found.is_merged:
        yield "  it is merged already: merging it again changes nothing"


def _as_json(found: Previewed) -> dict[str, Any]:
    about = {
        "feed": found.feed.name,
        "contract": found.feed.fingerprint,
        **found.source.fields,
        "merged": found.is_merged,
    }
    return {**about, **trial_words.as_json(found.read, found.effect, found.price)}


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """As by Ctrl-C: what was made is dropped first."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda got, _: sys.exit(128 + got)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
