"""`dropmerge purge-tombstones`: forget old deletes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from dropmerge.cli.exit_codes import report_errors, usage_error
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
from dropmerge.cli.terminal import confirm, current_user, pluralize, require_terminal
from dropmerge.operations.connection import Connection, open_connection

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed

# Merged before @before, by the ledger's word; a tombstone that the ledger does not know stays.
_OLD = "_deleted AND _load_id IN (SELECT load_id FROM `ops.ledger` WHERE feed = @feed AND merged_at < @before)"


def purge_tombstones(
    older_than: Annotated[
        timedelta,
        typer.Option(
            "--older-than", parser=parse_age, metavar="AGE", help="Merged longer ago than this, such as 90d."
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
    """Remove tombstones from the main tables.

    After that, a row older than the delete would bring its key back. So dead letters, which may hold such rows,
    must not live longer: a shorter age than their retention is refused. Nor are dead letters the only way back: a
    discarded load's file is still in the landing and archive buckets, a `backfill` after the purge merges it, and a
    deleted key may return.
    """
    if not dry_run and not yes:
        require_terminal("purge-tombstones")
    with report_errors():
        connection = open_connection(state, project, feeds)
        least = timedelta(
            seconds=max(
                settings["retention_seconds"]
                for name, settings in connection.topology["subscriptions"].items()
                if "push_to" not in settings
            )
        )
        if older_than < least:
            usage_error(
                f"--older-than is less than the {least.days} days that a dead letter may wait: "
                "one replayed after the purge could bring a deleted key back"
            )
        before = datetime.now(UTC) - older_than
        chosen = [connection.feed(feed)] if feed else [one for one in connection.feeds.values() if one.delete]
        counts = {one.name: _count(connection, one, before) for one in chosen}
        if not dry_run and any(counts.values()):
            if not yes:
                of_feeds = ", ".join(f"{count} of {name}" for name, count in counts.items() if count)
                confirm(f"remove {pluralize(sum(counts.values()), 'tombstone')} ({of_feeds})?")
            for one in chosen:
                if counts[one.name]:
                    _purge(connection, one, before, counts[one.name])
    if as_json:
        typer.echo(json.dumps(counts))
        return
    verb = "would be removed" if dry_run else "removed"
    for name, count in counts.items():
        typer.echo(f"{name}: {pluralize(count, 'tombstone')} {verb}")


def _count(connection: Connection, feed: Feed, before: datetime) -> int:
    rows = connection.rows(f"SELECT COUNT(*) AS n FROM `{feed.table}` WHERE {_OLD}", _parameters(feed, before))  # noqa: S608 - the contract's
    return int(rows[0]["n"]) if rows else 0


def _purge(connection: Connection, feed: Feed, before: datetime, count: int) -> None:
    connection.warehouse.query(f"DELETE FROM `{feed.table}` WHERE {_OLD}", _parameters(feed, before))  # noqa: S608 - the contract's
    connection.journal.record("purged", {"feed": feed.name}, tombstones=count, before=before, who=current_user())


def _parameters(feed: Feed, before: datetime) -> dict[str, tuple[str, object]]:
    return {"feed": ("STRING", feed.name), "before": ("TIMESTAMP", before)}
