"""`dropmerge explain`: what happened to my file, or why a row is as it is."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import typer
from google.api_core import exceptions as google

from services.console.connection import (
    FEEDS,
    HERE,
    Connection,
    Feeds,
    Json,
    Project,
    State,
    errors_in_words,
    fail,
    open_connection,
)
from services.shared.feed import feed_for
from services.shared.load import Load

STATES = ("arrived", "pinned", "loaded", "staged", "merged", "dead_lettered", "superseded", "ignored")


def explain(
    uri: Annotated[str | None, typer.Argument(help="gs://bucket/object[#generation]")] = None,
    row: Annotated[
        list[str] | None, typer.Option("--row", help="key=value; repeat it for a key of several columns.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(help="More key=value after --row.", hidden=True)] = None,
    feed: Annotated[str | None, typer.Option("--feed", help="With --row: whose table.")] = None,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """The life of a load, or of the load that a row came from."""
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        if row:
            pairs = [*row, *(word for word in [uri, *(more or [])] if word)]
            answer = _explain_row(connection, feed, pairs)
        elif uri:
            answer = explain_object(connection, uri)
        else:
            fail("name gs://bucket/object, or --row key=value", 2)
    if as_json:
        typer.echo(json.dumps(answer, indent=2, default=str))
    else:
        for name, value in answer.items():
            if name != "events":
                typer.echo(f"{name}: {value}")
        for event in answer["events"]:
            typer.echo(f"  {event['at']}  {event['event']:14} {event['service']:7} {json.dumps(event['detail'])}")
    if answer["state"] == "unknown":
        raise typer.Exit(1)


def explain_object(connection: Connection, uri: str) -> dict[str, Any]:
    match = re.fullmatch(r"gs://([^/]+)/(.+?)(?:#(\d+))?", uri, re.DOTALL)
    if match is None:
        fail(f"{uri!r} is not gs://bucket/object[#generation]", 2)
    bucket, name = match[1], match[2]
    generation = int(match[3]) if match[3] else _latest(connection, bucket, name)
    feed = feed_for(connection.feeds, name)
    load_id = Load(feed.feed, bucket, name, generation).load_id if feed and generation else None
    events = [
        {
            "at": r["at"].isoformat(),
            "event": r["event"],
            "service": r["service"],
            "detail": json.loads(r["detail"] or "{}"),
        }
        for r in connection.rows(
            "SELECT `at`, event, service, detail FROM `ops.journal`"
            " WHERE bucket = @bucket AND object = @object AND generation = @generation ORDER BY `at`",
            {
                "bucket": ("STRING", bucket),
                "object": ("STRING", name),
                "generation": ("INT64", generation or 0),
            },
        )
    ]
    merged = connection.rows(
        "SELECT merged_at, merge_id FROM `ops.ledger` WHERE load_id = @load_id",
        {"load_id": ("STRING", load_id or "")},
    )
    if merged:
        state = "merged"
    elif lived := [event for event in events if event["event"] in STATES]:
        state = str(lived[-1]["event"])
    elif generation and (
        name.endswith("/") or not name.startswith(connection.topology["buckets"]["landing"]["prefix"])
    ):
        state = "ignored"
    else:
        state = "unknown"
    answer: dict[str, Any] = {
        "load_id": load_id,
        "state": state,
        "feed": feed.feed if feed else None,
        "bucket": bucket,
        "object": name,
        "generation": generation,
    }
    if merged:
        answer.update(merged_at=merged[0]["merged_at"].isoformat(), merge_id=merged[0]["merge_id"])
    if state == "dead_lettered":
        detail = lived[-1]["detail"]
        answer.update(reason=detail.get("reason"), error=detail.get("error"), dead_letter=detail.get("dead_letter_id"))
    return {**answer, "events": events}


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


def _explain_row(connection: Connection, feed_name: str | None, pairs: list[str]) -> dict[str, Any]:
    names = list(connection.feeds)
    if feed_name is None and len(names) > 1:
        fail(f"several feeds: name one with --feed ({', '.join(names)})", 2)
    feed = connection.feeds.get(feed_name or names[0])
    if feed is None:
        fail(f"no feed {feed_name!r}; there are: {', '.join(names)}", 2)
    given = dict(pair.partition("=")[::2] for pair in pairs)
    if set(given) != set(feed.key):
        fail(f"the key of {feed.feed} is {', '.join(feed.key)}: give each as name=value", 2)
    types = {column.name: column.type for column in feed.columns}
    where = " AND ".join(f"CAST(`{name}` AS STRING) = @k{n}" for n, name in enumerate(feed.key))
    rows = connection.rows(
        f"SELECT * FROM `{feed.table}` WHERE {where}",  # noqa: S608 - names are the contract's
        {f"k{n}": ("STRING", given[name]) for n, name in enumerate(feed.key)},
    )
    if not rows:
        return {
            "load_id": None,
            "state": "unknown",
            "row": None,
            "why": f"no row of {feed.table} has this key",
            "events": [],
        }
    row = dict(rows[0])
    origin = explain_object(connection, f"{row['_object']}#{row['_generation']}")
    values = {name: row[name] for name in types}
    rank = f"({values[feed.version]}, {row['_generation']})"
    loses = f"a row with a greater ({feed.version}, generation) than {rank}"
    return {
        **origin,
        "row": {k: v if v is None else str(v) for k, v in values.items()},
        "deleted": row["_deleted"],
        "loses_to": loses,
        "events": origin["events"],
    }
