"""`dropmerge drop`: put files in the landing bucket."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    Feeds,
    GcsUri,
    Json,
    Project,
    State,
    TargetFeed,
    To,
    Yes,
)
from dropmerge.cli.terminal import confirm, escape_unprintable, progress, require_terminal, shorten_list
from dropmerge.operations.connection import Connection, open_connection


def drop(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE…", help="Of one feed.")
    ],
    feed: TargetFeed = None,
    to: To = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Put files in the landing bucket, where the pipeline finds them; with progress for large ones.

    It asks before it overwrites an object, and refuses to without a terminal, unless --yes.
    """
    if feed and to:
        usage_error("--feed and --to exclude each other")
    with report_errors():
        connection = open_connection(state, project, feeds)
        targets = [(path, *_target(connection, path, feed, to, len(files))) for path in files]
        if not dry_run and not yes:
            overwritten = ", ".join(
                shorten_list(list(_overwritten(connection, [(bucket, name) for _, bucket, name in targets])))
            )
            if overwritten:
                require_terminal(f"overwriting {overwritten}")
                confirm(f"overwrite {overwritten}?")
        dropped = []
        for path, bucket, name in targets:
            generation = None
            if not dry_run:
                blob = connection.storage.bucket(bucket).blob(name)
                with progress().status(f"dropping {path}"):
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


def _target(connection: Connection, path: Path, feed: str | None, to: GcsUri | None, count: int) -> tuple[str, str]:
    bucket, name = _named(connection, path, feed, to, count)
    try:
        name.encode()
    except UnicodeEncodeError:
        usage_error(
            f"{escape_unprintable(str(path))}: not UTF-8, as an object's name must be: use --to gs://BUCKET/NAME"
        )
    return bucket, name


def _named(connection: Connection, path: Path, feed: str | None, to: GcsUri | None, count: int) -> tuple[str, str]:
    if to is not None:
        if not to.name:
            usage_error("--to has no name after the bucket")
        is_folder = to.name.endswith("/")
        if count > 1 and not is_folder:
            usage_error("several files need a folder: end --to with /")
        return to.bucket, to.name + (path.name if is_folder else "")
    chosen = connection.feed(feed)
    name = re.split(r"[*?]", chosen.objects)[0] + path.name
    if not chosen.wants(name):
        usage_error(f"{name} does not match the feed's pattern {chosen.objects}: use --to")
    return connection.landing, name


def _overwritten(connection: Connection, places: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Objects that are there already, or would be written twice by this very command."""
    for (bucket, name), times in Counter(places).items():
        if times > 1 or connection.storage.bucket(bucket).blob(name).exists():
            yield escape_unprintable(f"gs://{bucket}/{name}")
