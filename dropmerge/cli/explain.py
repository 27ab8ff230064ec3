"""The command itself, and what it prints."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Json, Project, RowFeed, State
from dropmerge.cli.terminal import escape_unprintable
from dropmerge.operations.connection import open_connection
from dropmerge.operations.loads.events import print_events


def explain(
    uri: Annotated[str | None, typer.Argument(metavar="gs://BUCKET/OBJECT[#GENERATION]", show_default=False)] = None,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="KEY=VALUE…", help="Of a key with several columns, one after the other."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(help="More key=value after --row.", hidden=True)] = None,
    feed: RowFeed = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """The life of a load, or of the load that a row came from. Exit code 1 when nothing is known of it."""
    # Both bring Google's clients with them.
    from dropmerge.operations.loads.explain import explain_object
    from dropmerge.operations.loads.rows import explain_row

    with report_errors():
        connection = open_connection(state, project, feeds)
        if row:
            pairs = [*row, *(word for word in [uri, *(more or [])] if word)]
            found = explain_row(connection, connection.feed(feed), pairs)
            origin = explain_object(connection, found.pop("origin"), with_jobs=True) if "origin" in found else {}
            # The row first, then the load that it came from.
            answer = {"load_id": None, "state": "unknown", **found, **origin, "events": origin.get("events", [])}
        elif uri and not more:
            answer = explain_object(connection, uri, with_jobs=True)
        else:
            usage_error("name one gs://bucket/object, or --row key=value")
    if as_json:
        typer.echo(json.dumps(answer, indent=2, default=str))
    else:
        _print(answer)
    if answer["state"] == "unknown":
        raise typer.Exit(1)


def _print(answer: dict[str, Any]) -> None:
    for name, value in answer.items():
        if name == "events" or value is None or value in ([], {}):
            continue
        if isinstance(value, list):
            typer.echo(f"{name}:")
            for one in value:
                typer.echo(f"  {_line(one)}")
        elif isinstance(value, dict):
            typer.echo(f"{name}:")
            for key, one in value.items():
                typer.echo(escape_unprintable(f"  {key}: {one}"))
        else:
            typer.echo(escape_unprintable(f"{name}: {value}"))
    print_events("events", answer["events"])


def _line(one: Any) -> str:
    if isinstance(one, dict):
        return escape_unprintable(", ".join(f"{name} {value}" for name, value in one.items() if value is not None))
    return escape_unprintable(str(one))
