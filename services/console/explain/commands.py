"""The command itself, and what it prints."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import typer
from google.api_core import exceptions as google

from services.console.connection import Connection, open_connection
from services.console.events import ENDED, print_events
from services.console.exits import errors_in_words, misused
from services.console.explain.facts import Facts, gather
from services.console.explain.row import explain_row
from services.console.options import FEEDS, HERE, Feeds, Json, OfRow, Project, State
from services.console.person import visible


def explain(
    uri: Annotated[str | None, typer.Argument(metavar="gs://BUCKET/OBJECT[#GENERATION]", show_default=False)] = None,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="KEY=VALUE…", help="Of a key with several columns, one after the other."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(help="More key=value after --row.", hidden=True)] = None,
    feed: OfRow = None,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """The life of a load, or of the load that a row came from. Exit code 1 when nothing is known of it."""
    with errors_in_words():
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
            misused("name one gs://bucket/object, or --row key=value")
    if as_json:
        typer.echo(json.dumps(answer, indent=2, default=str))
    else:
        _print(answer)
    if answer["state"] == "unknown":
        raise typer.Exit(1)


def explain_object(connection: Connection, uri: str, with_jobs: bool = False) -> dict[str, Any]:
    """Keys load_id, state, feed, bucket, object, generation, events, and what is known of the state.

    `with_jobs`: also jobs and merged_rows, which take listing the jobs of that time.
    """
    match = re.fullmatch(r"gs://([^/]+)/(.+?)(?:#([0-9]{1,18}|[0-9]{19}))?", uri, re.DOTALL)
    if match is None:
        misused(f"{uri!r} is not gs://bucket/object[#generation]")
    bucket, name = match[1], match[2]
    generation = int(match[3]) if match[3] else _latest(connection, bucket, name)
    facts = gather(connection, bucket, name, generation or 0)
    state = facts.state
    answer: dict[str, Any] = {
        "load_id": facts.load_id,
        "state": state,
        "feed": facts.feed,
        "bucket": bucket,
        "object": name,
        "generation": generation,
    }
    if state == "merged":
        answer.update(facts.merged)
    elif state == "dead_lettered":
        answer.update(facts.dead_letter)
    elif state not in ENDED and generation:
        # The journal knows of no end; the letter, if there is one, does.
        letter = facts.waiting_letter
        if letter is not None:
            answer.update(state="dead_lettered", reason=letter.reason, error=letter.error, dead_letter=letter.id)
    if facts.rejected:
        answer["rejected"] = facts.rejected
    if with_jobs:
        answer.update(facts.work)
    if answer["state"] == "unknown":
        answer["why"] = _why_unknown(facts)
    return {**answer, "events": facts.events}


def _why_unknown(facts: Facts) -> str:
    if facts.live:
        return "the object is there and no notification of it has been heard: `dropmerge backfill` announces it"
    return "no such object generation is there, and neither ledger nor journal knows of it"


def _latest(connection: Connection, bucket: str, name: str) -> int | None:
    try:
        blob = connection.storage.bucket(bucket).get_blob(name)
    except google.NotFound:
        blob = None
    if blob is not None:
        return int(blob.generation)
    rows = connection.rows(
        "SELECT MAX(generation) AS generation FROM `ops.journal` WHERE bucket = @bucket AND object = @object",
        {"bucket": ("STRING", bucket), "object": ("STRING", name)},
    )
    return rows[0]["generation"] if rows else None


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
                typer.echo(visible(f"  {key}: {one}"))
        else:
            typer.echo(visible(f"{name}: {value}"))
    print_events("events", answer["events"])


def _line(one: Any) -> str:
    if isinstance(one, dict):
        return visible(", ".join(f"{name} {value}" for name, value in one.items() if value is not None))
    return visible(str(one))
