"""`dropmerge drop`: put files in the landing bucket."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.console.connection import (
    FEEDS,
    HERE,
    Connection,
    DryRun,
    Feeds,
    Json,
    Project,
    State,
    Yes,
    ask,
    errors_in_words,
    fail,
    open_connection,
)


def drop(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    feed: Annotated[str | None, typer.Option("--feed", help="Drop where this feed looks.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="gs://bucket/name, or a folder ending in /.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Drop files in the landing bucket."""
    if feed and to:
        fail("--feed and --to exclude each other", 2)
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        targets = [(path, *_target(connection, path, feed, to, len(files))) for path in files]
        if not dry_run and sys.stdin.isatty():
            taken = [f"gs://{bucket}/{name}" for _, bucket, name in targets if _is_there(connection, bucket, name)]
            if taken:
                ask(f"overwrite {', '.join(taken)}?", yes)
        dropped = []
        for path, bucket, name in targets:
            generation = None
            if not dry_run:
                blob = connection.storage.bucket(bucket).blob(name)
                with Console(stderr=True).status(f"dropping {path}"):
                    blob.upload_from_filename(str(path), timeout=600)
                generation = int(blob.generation or 0)
            dropped.append({"file": str(path), "bucket": bucket, "object": name, "generation": generation})
    if as_json:
        typer.echo(json.dumps(dropped, indent=2))
        return
    for one in dropped:
        suffix = "" if dry_run else f"#{one['generation']}"
        verb = "would go to" if dry_run else "is"
        typer.echo(f"{one['file']} {verb} gs://{one['bucket']}/{one['object']}{suffix}")


def _target(connection: Connection, path: Path, feed: str | None, to: str | None, count: int) -> tuple[str, str]:
    if to is not None:
        match = re.fullmatch(r"gs://([^/]+)/(.+)", to, re.DOTALL)
        if match is None:
            fail(f"--to {to!r} is not gs://bucket/name", 2)
        if count > 1 and not to.endswith("/"):
            fail("several files need a folder: end --to with /", 2)
        return match[1], match[2] + (path.name if to.endswith("/") else "")
    chosen = connection.feed(feed)
    name = re.split(r"[*?]", chosen.objects)[0] + path.name
    if not chosen.wants(name):
        fail(f"{name} does not match the feed's pattern {chosen.objects}: use --to", 2)
    return connection.landing, name


def _is_there(connection: Connection, bucket: str, name: str) -> bool:
    return bool(connection.storage.bucket(bucket).blob(name).exists())
