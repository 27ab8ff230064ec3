"""`dropmerge rows`: some rows of a main table."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import report_errors
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, FeedArgument, Feeds, Json, Project, State
from dropmerge.cli.terminal import escape_unprintable, pluralize, print_records, table
from dropmerge.cli.times import as_of
from dropmerge.operations.first_rows import first_rows


def rows(
    feed: FeedArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, metavar="N", help="Show at most N rows.")] = 5,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show some rows of a feed's main table, without deleted ones, in no particular order.

    They are read without a query, which costs nothing, however large the table is.

    Example: dropmerge rows accounts
    """
    with report_errors():
        connection = connect(state, project, feeds)
        contract = connection.feed(feed)
        found = first_rows(connection, contract, limit)
    if as_json:
        typer.echo(json.dumps(found.rows, indent=2, default=str))
        return
    lines = table(*found.columns)
    for one in found.rows:
        lines.add_row(*(_text(one[name]) for name in found.columns))
    print_records(lines)
    all_or_some = f"all {pluralize(len(found.rows), 'row')}" if found.is_all else pluralize(len(found.rows), "row")
    typer.echo(f"{all_or_some} of {contract.table}_current", err=True)
    as_of()


def _text(value: Any) -> str:
    return "" if value is None else escape_unprintable(str(value))
