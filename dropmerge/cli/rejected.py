"""`dropmerge rejected`: rows that failed their checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    FeedName,
    Feeds,
    Json,
    Object,
    Project,
    RowReason,
    State,
    Yes,
)
from dropmerge.cli.terminal import confirm, current_user, escape_unprintable, pluralize, print_table, table
from dropmerge.operations.connection import Connection
from dropmerge.operations.rejected_rows import (
    Selection,
    count_loads,
    count_reasons,
    mark_done,
    read_rejected_rows,
    select,
    write_file,
)

_SHOWN = 100


def rejected(
    feed: FeedName = None,
    object_: Object = None,
    reason: RowReason = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write them as a file to fix and drop again."),
    ] = None,
    done: Annotated[
        bool, typer.Option("--done", help="Take them off the list: what they had is merged, or not wanted.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Rejected rows: how many by file and reason, and each as it was with every reason.

    With --done those of one feed are taken off the list and the count of `status`, and the journal has who did it.
    """
    _require_sense(csv_file, done, dry_run or yes, as_json)
    if done:
        require_confirmation("rejected --done", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        contract = connection.feed(feed) if feed or csv_file or done else None
        wanted = select(connection, contract.name if contract else None, object_, reason)
        if done:
            _take_off(connection, wanted, dry_run, yes)
            return
        if csv_file is None and not as_json:
            _print(connection, wanted)
            return
        rows, _ = read_rejected_rows(connection, wanted) if wanted else ([], 0)
        if csv_file and contract:
            write_file(csv_file, contract, rows)
    if csv_file and contract:
        for number, row in enumerate(rows, 2):
            typer.echo(f"row {number}: {', '.join(row.reasons)}")
        again = f"`dropmerge drop --feed {contract.name} {csv_file}`"
        typer.echo(f"{csv_file} has {pluralize(len(rows), 'row')}: fix them, then {again}")
        typer.echo(f"once they are merged: `dropmerge rejected --feed {contract.name} --done`")
    else:
        typer.echo(json.dumps([row.as_json() for row in rows], indent=2))


def _require_sense(csv_file: Path | None, done: bool, is_for_done: bool, as_json: bool) -> None:
    chosen = [name for name, is_given in (("--csv", csv_file), ("--json", as_json), ("--done", done)) if is_given]
    if len(chosen) > 1:
        usage_error(f"{' and '.join(chosen)} exclude each other")
    if is_for_done and not done:
        usage_error("--yes and --dry-run are for --done: without it nothing is changed")


def _take_off(connection: Connection, wanted: Selection | None, dry_run: bool, yes: bool) -> None:
    loads = count_loads(connection, wanted) if wanted else {}
    if wanted is None or not loads:
        typer.echo("no rejected rows")
        return
    rows = f"{pluralize(sum(loads.values()), 'rejected row')} of {pluralize(len(loads), 'file')}"
    if dry_run:
        typer.echo(f"{rows} would be taken off the list")
        return
    if not yes:
        confirm(f"take {rows} off the list?")
    mark_done(connection, wanted, loads, current_user())
    typer.echo(f"{rows} taken off the list")


def _print(connection: Connection, wanted: Selection | None) -> None:
    """Counts of all, and the first of them: the others are left where they are."""
    rows, total = read_rejected_rows(connection, wanted, _SHOWN) if wanted else ([], 0)
    if wanted is None or not rows:
        typer.echo("no rejected rows")
        return
    summary = table("feed", "object", "reason", "rows")
    for key, count in count_reasons(connection, wanted).items():
        summary.add_row(*key, str(count))
    print_table(summary)
    each = table("object", "reasons", "row")
    for row in rows:
        shown = escape_unprintable(json.dumps(row.row, ensure_ascii=False))
        each.add_row(f"{row.object}#{row.generation}", "\n".join(row.reasons), shown)
    print_table(each)
    if total > len(rows):
        typer.echo(f"… and {total - len(rows)} more: narrow it with --object or --reason, or take --json or --csv")
