"""`dropmerge explain`: what happened to a file, or why a row is as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.events import print_events
from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.explain_row import explain_row, print_row
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Json, Project, RowFeed, State
from dropmerge.cli.terminal import escape_unprintable

if TYPE_CHECKING:
    from dropmerge.operations.loads.events import LoadEvent


def explain(
    uri: Annotated[str | None, typer.Argument(metavar="gs://BUCKET/OBJECT[#GENERATION]", show_default=False)] = None,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="KEY=VALUE…", help="Of a key with several columns, one after the other."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(help="More key=value after --row.", hidden=True)] = None,
    file: Annotated[
        str | None, typer.Option("--in", metavar="FILE", help="With --row: look for the key in this file.")
    ] = None,
    feed: RowFeed = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """The life of a load, or of the load that a row came from. Exit code 1 when nothing is known of it."""
    # It brings Google's clients with it.
    from dropmerge.operations.loads.history import read_history

    with report_errors():
        connection = connect(state, project, feeds)
        show: Callable[[], None]
        if row:
            pairs = [*row, *(word for word in [uri, *(more or [])] if word)]
            explained = explain_row(connection, feed, pairs, file)
            answer, show, is_known = explained.as_json(), partial(print_row, explained), explained.is_known
        elif uri and not more and not file:
            history = read_history(connection, uri, with_jobs=True)
            answer = history.as_json()
            show, is_known = partial(_print, answer, history.events), answer["state"] != "unknown"
        else:
            usage_error("name one gs://bucket/object, or --row key=value")
    if as_json:
        typer.echo(json.dumps(answer, indent=2, default=str))
    else:
        show()
    if not is_known:
        raise typer.Exit(1)


def _print(answer: Mapping[str, Any], events: Sequence[LoadEvent]) -> None:
    for name, value in answer.items():
        if name == "events" or value is None or value in ([], {}):
            continue
        if isinstance(value, list):
            typer.echo(f"{name}:")
            for one in value:
                typer.echo(f"  {_line(one)}")
        elif isinstance(value, Mapping):
            typer.echo(f"{name}:")
            for key, one in value.items():
                typer.echo(escape_unprintable(f"  {key}: {one}"))
        else:
            typer.echo(escape_unprintable(f"{name}: {value}"))
    print_events("events", events)


def _line(one: Any) -> str:
    if isinstance(one, dict):
        return escape_unprintable(", ".join(f"{name} {value}" for name, value in one.items() if value is not None))
    return escape_unprintable(str(one))
