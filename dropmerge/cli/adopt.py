"""`dropmerge adopt`: take over a table that was there before its feed."""

from __future__ import annotations

import json

import typer

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.exit_codes import report_errors
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    FeedArgument,
    Feeds,
    Json,
    Project,
    State,
    Yes,
)
from dropmerge.cli.terminal import confirm


def adopt(
    feed: FeedArgument,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Take over a main table that was made by hand or by another loader, with its rows.

    It gains the columns that dropmerge needs and keeps all others. Its rows count as older than those of any file:
    where versions are equal, a file's row wins. First stop whatever else writes to the table.

    Example: dropmerge adopt accounts --dry-run
    """
    # It brings Google's clients with it.
    from dropmerge.operations.adopt import adopt as do_adopt
    from dropmerge.operations.adopt import plan_adoption

    require_confirmation("adopt", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        plan = plan_adoption(connection, connection.feed(feed))
        is_wanted = plan.table is not None and not dry_run
        for sentence in plan.sentences:
            typer.echo(f"{plan.feed.table} {sentence}", err=as_json)
        if is_wanted:
            if not yes:
                confirm(f"adopt {plan.feed.table}?")
            do_adopt(connection, plan)
    if as_json:
        answer = {"feed": feed, "table": plan.feed.table, "adopted": is_wanted, "rows": plan.rows}
        typer.echo(json.dumps({**answer, "sentences": plan.sentences}, indent=2))
    elif plan.table is not None:
        typer.echo(
            "nothing was changed"
            if dry_run
            else f"{plan.feed.table} is adopted: now replay the dead letters that are waiting for it"
        )
