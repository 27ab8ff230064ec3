"""`dropmerge rejected`: rows that failed their checks."""

from __future__ import annotations

import fnmatch
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    FeedName,
    Feeds,
    Json,
    Object,
    Project,
    RowReason,
    State,
)
from dropmerge.cli.terminal import escape_unprintable, pluralize, print_table, table
from dropmerge.operations.connection import Connection, open_connection
from services.ingest.formats import format_of

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed

_SHOWN = 100


def rejected(
    feed: FeedName = None,
    object_: Object = None,
    reason: RowReason = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write them as a file to mend and drop again."),
    ] = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Rejected rows: how many by file and reason, and each as it was with every reason."""
    if csv_file is not None and as_json:
        usage_error("--csv and --json exclude each other")
    with report_errors():
        connection = open_connection(state, project, feeds)
        contract = connection.feed(feed) if feed or csv_file else None
        rows = _read(connection, contract.name if contract else "", object_, reason)
    if csv_file and contract:
        _write(csv_file, contract, rows)
    elif as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        _print(rows)


def _read(connection: Connection, feed: str, glob: str | None, reason: str | None) -> list[dict[str, Any]]:
    found = connection.rows(
        "SELECT feed, bucket, object, generation, row_text, reasons FROM `ops.rejected_rows`"
        " WHERE @feed = '' OR feed = @feed ORDER BY feed, object, generation, row_text",
        {"feed": ("STRING", feed)},
    )
    rows = [
        {
            **{name: one[name] for name in ("feed", "bucket", "object", "generation")},
            "row": json.loads(one["row_text"]),
            "reasons": list(one["reasons"]),
        }
        for one in found
    ]
    return [
        row
        for row in rows
        if (glob is None or fnmatch.fnmatchcase(row["object"], glob))
        and (reason is None or reason in (one.partition(":")[0] for one in row["reasons"]))
    ]


def _print(rows: list[dict[str, Any]]) -> None:
    if not rows:
        typer.echo("no rejected rows")
        return
    counts = Counter(
        (row["feed"], f"{row['object']}#{row['generation']}", why) for row in rows for why in row["reasons"]
    )
    summary = table("feed", "object", "reason", "rows")
    for key, count in sorted(counts.items()):
        summary.add_row(*key, str(count))
    print_table(summary)
    each = table("object", "reasons", "row")
    for row in rows[:_SHOWN]:
        each.add_row(
            f"{row['object']}#{row['generation']}",
            "\n".join(row["reasons"]),
            escape_unprintable(json.dumps(row["row"], ensure_ascii=False)),
        )
    print_table(each)
    if len(rows) > _SHOWN:
        typer.echo(f"… and {len(rows) - _SHOWN} more: narrow it with --object or --reason, or take --json or --csv")


def _write(path: Path, feed: Feed, rows: list[dict[str, Any]]) -> None:
    """The columns of the feed's own files, values as they were; what is wrong with each line goes to the terminal."""
    if path.exists():
        usage_error(f"{path} is there already: name another file")
    names = [column.name for column in feed.columns] + ([feed.delete.column] if feed.delete else [])
    with path.open("w", newline="", encoding="utf-8") as file:
        format_of(feed.format).write(file, names, [row["row"] for row in rows], feed.format)
    for number, row in enumerate(rows, 2):
        typer.echo(f"row {number}: {', '.join(row['reasons'])}")
    typer.echo(f"{path} has {pluralize(len(rows), 'row')}: mend them, then `dropmerge drop --feed {feed.name} {path}`")
