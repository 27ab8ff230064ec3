"""The journal's events about one object generation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import typer

from dropmerge.cli.terminal import escape_unprintable
from dropmerge.operations.connection import Connection
from services.shared.generation import ObjectGeneration
from services.shared.messages.dead_letter import DeadLetter

MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far two machines' clocks are trusted to differ, at most."""

Event = dict[str, Any]
"""Keys at, event, service, detail."""
TERMINAL_STATES = {"merged", "dead_lettered", "superseded", "ignored"}
DISPATCH_EVENTS = ("arrived", "announced", "replayed")
"""Events that put a load on its way, whatever was before."""


def state_from_events(events: Iterable[str]) -> str | None:
    """Where a load stands by its events, in order. A discarded letter is an end, unless there was another.

    Leave out the discarded letters that are older than the load's last setting out: they say nothing of it.
    """
    word = None
    for event in events:
        if event != "discarded":
            word = event
        elif word not in TERMINAL_STATES:
            word = "dead_lettered"
    return word


def read_events(connection: Connection, bucket: str, name: str, generation: int) -> list[Event]:
    """In order of time; none where there is no journal."""
    rows = connection.rows(
        "SELECT `at`, event, service, detail FROM `ops.journal`"
        " WHERE bucket = @bucket AND object = @object AND generation = @generation AND `at` >= @since ORDER BY `at`",
        {
            "bucket": ("STRING", bucket),
            "object": ("STRING", name),
            "generation": ("INT64", generation),
            "since": ("TIMESTAMP", ObjectGeneration(bucket, name, generation).created - MAX_CLOCK_SKEW),
        },
    )
    return [_read(row) for row in rows]


def dead_letter_events(connection: Connection, letter: DeadLetter) -> list[Event]:
    """Of the letter's object generation, and of the letter itself, which may have none."""
    rows = connection.rows(
        "SELECT `at`, event, service, detail FROM `ops.journal`"
        " WHERE `at` >= @since AND ((bucket = @bucket AND object = @object AND generation = @generation)"
        " OR JSON_VALUE(detail, '$.dead_letter_id') IN (@id, @replay_of)) ORDER BY `at`",
        {
            "bucket": ("STRING", letter.bucket or ""),
            "object": ("STRING", letter.object or ""),
            "generation": ("INT64", letter.generation or 0),
            "id": ("STRING", letter.id),
            "replay_of": ("STRING", letter.replay_of or ""),
            "since": ("TIMESTAMP", ObjectGeneration("", "", letter.generation or 0).created),
        },
    )
    return [_read(row) for row in rows]


def print_events(title: str, events: Sequence[Event]) -> None:
    typer.echo(f"{title}:" if events else f"{title}: the journal has none")
    for event in events:
        detail = ", ".join(f"{name} {_short(value)}" for name, value in event["detail"].items())
        moment = datetime.fromisoformat(event["at"]).strftime("%Y-%m-%d %H:%M:%S")
        typer.echo(escape_unprintable(f"  {moment}  {event['event']:13} {event['service']:8} {detail}").rstrip())


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _read(row: Any) -> Event:
    return {
        "at": row["at"].isoformat(),
        "event": row["event"],
        "service": row["service"],
        "detail": json.loads(row["detail"] or "{}"),
    }
