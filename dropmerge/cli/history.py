"""`dropmerge history`: what became of each file, or what went through by the hour."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    Csv,
    FeedName,
    Feeds,
    Json,
    LoadState,
    Project,
    Since,
    State,
    one_of,
)
from dropmerge.cli.terminal import escape_unprintable, is_interactive, print_array, print_csv, print_table, table
from dropmerge.cli.times import as_of
from dropmerge.operations.past_loads import (
    BY,
    COLUMNS,
    FIGURES,
    PastLoad,
    Throughput,
    Wanted,
    every_load,
    newest_loads,
    throughput,
)
from dropmerge.operations.times import clock, duration, moment

_SHOWN = 40


def history(
    feed: FeedName = None,
    since: Since = "1d",  # type: ignore[assignment]  # parsed like what is typed
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            parser=lambda text: one_of(BY, text),
            autocompletion=lambda incomplete: [one for one in BY if one.startswith(incomplete)],
            metavar="hour|day|feed",
            help="Totals instead of files: rows, time from drop to merged, bytes billed.",
        ),
    ] = None,
    load_state: LoadState = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", min=1, metavar="N", help="Newest files shown. [default: 40; with --csv and --json all]"
        ),
    ] = None,
    as_csv: Csv = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show what became of each file, newest last: its last event, state, rows, and seconds from drop to merged.

    --by shows totals per hour, day or feed instead, with the median and the 95th percentile of those seconds. For SQL,
    the view ops.loads has the same: docs/history.md.

    Example: dropmerge history --since 7d --by day
    """
    if as_csv and as_json:
        usage_error("--csv and --json exclude each other")
    if by and limit:
        usage_error("--limit is for files: with --by there is a line for each hour, day or feed")
    with report_errors():
        connection = connect(state, project, feeds)
        wanted = Wanted(since, connection.feed(feed).name if feed else "", load_state or "")
        if by:
            _print_parts(throughput(connection, wanted, by), by, as_csv, as_json)
        elif as_csv or as_json:
            found = newest_loads(connection, wanted, limit)[0] if limit else every_load(connection, wanted)
            _print_all(found, as_csv)
        else:
            _print(*newest_loads(connection, wanted, limit or _SHOWN), since, connection.landing_prefix)


def _print_all(found: Iterable[PastLoad], as_csv: bool) -> None:
    if as_csv:
        print_csv(COLUMNS, map(_plain, found))
    else:
        print_array(map(_plain, found))


def _plain(one: PastLoad) -> dict[str, Any]:
    """With times as RFC 3339."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in one.items()}


def _print(found: Sequence[PastLoad], total: int, since: datetime, prefix: str) -> None:
    if total > len(found):
        typer.echo(f"… and {total - len(found)} before these: --limit N, or --since, --feed, --in-state", err=True)
    if is_interactive(sys.stdout):
        for day, some in groupby(found, key=lambda one: f"{one['last_event_time']:%Y-%m-%d}"):
            typer.echo(f"{day}, UTC")
            _print_lines(list(some), clock, prefix)
    else:
        _print_lines(found, moment, "")
    if not found:
        typer.echo(f"no file has had an event since {moment(since)}", err=True)
    as_of()


def _print_lines(found: Sequence[PastLoad], written: Callable[[datetime], str], prefix: str) -> None:
    """`prefix`: what all names begin with, and leaves no room for the rest of them."""
    lines = table("time", "state", "file", "rows", "rejected", "took")
    for one in found:
        seconds = one["seconds_to_commit"]
        lines.add_row(
            written(one["last_event_time"]),
            one["state"],
            escape_unprintable(_name(one).removeprefix(prefix)),
            _number(one["row_parsed"]),
            _number(one["error_count"]),
            "" if seconds is None else duration(seconds),
        )
    print_table(lines)


def _name(one: PastLoad) -> str:
    """Of what the journal has lost, the load's id is known."""
    return str(one["file_name"] or one["load_id"])


def _print_parts(found: Sequence[Throughput], by: str, as_csv: bool, as_json: bool) -> None:
    parts = [{by: one.part, **_without_part(one)} for one in found]
    if as_csv:
        print_csv((by, *FIGURES), parts)
    elif as_json:
        typer.echo(json.dumps(parts, indent=2))
    else:
        lines = table(
            by if by == "feed" else f"{by} (UTC)", "files", "rows", "rejected", "dead", "p50", "p95", "billed"
        )
        for one in found:
            lines.add_row(
                escape_unprintable(one.part) or "(no feed)",
                *(str(number) for number in (one.files, one.row_count, one.error_count, one.dead_letters)),
                *("" if seconds is None else duration(seconds) for seconds in (one.p50_seconds, one.p95_seconds)),
                "" if one.bytes_billed is None else f"{one.bytes_billed / 2**20:,.0f} MiB",
            )
        print_table(lines)
        as_of()


def _without_part(one: Throughput) -> Mapping[str, Any]:
    return {name: value for name, value in asdict(one).items() if name != "part"}


def _number(number: int | None) -> str:
    return "" if number is None else str(number)
