"""`dropmerge purge-tombstones`: forget old deletes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated

import typer

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.exit_codes import report_errors
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    FeedName,
    Feeds,
    Json,
    Project,
    State,
    Yes,
    parse_age,
)
from dropmerge.cli.terminal import confirm, pluralize
from dropmerge.operations.tombstones import find_old_tombstones, purge


def purge_tombstones(
    older_than: Annotated[
        timedelta,
        typer.Option(
            "--older-than",
            parser=parse_age,
            metavar="AGE",
            help="Remove deletes merged longer ago than this, such as 90d.",
        ),
    ],
    feed: FeedName = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Remove tombstones, which remember deleted keys, from the main tables.

    Afterwards, a row older than the delete would bring its key back. Dead letters may hold such rows, so an age
    shorter than their retention is refused. Discarded files may hold them too: they are still in the landing and
    archive buckets, and a `backfill` after the purge would merge them.

    Example: dropmerge purge-tombstones --older-than 90d --dry-run
    """
    require_confirmation("purge-tombstones", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        found = find_old_tombstones(connection, older_than, feed)
        waiting = [one for one in found if one.count]
        if waiting and not dry_run:
            if not yes:
                names = ", ".join(f"{one.count} of {one.feed.name}" for one in waiting)
                confirm(f"remove {pluralize(sum(one.count for one in waiting), 'tombstone')} ({names})?")
            for one in waiting:
                purge(connection, one)
    if as_json:
        typer.echo(json.dumps({one.feed.name: one.count for one in found}))
        return
    verb = "would be removed" if dry_run else "removed"
    for one in found:
        typer.echo(f"{one.feed.name}: {pluralize(one.count, 'tombstone')} {verb}")
