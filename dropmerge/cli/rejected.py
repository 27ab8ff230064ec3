"""`dropmerge rejected`, `dropmerge rejected resubmit`: rows that failed their checks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.exit_codes import abort, report_errors, usage_error
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
    Timeout,
    Yes,
)
from dropmerge.cli.terminal import (
    confirm,
    escape_unprintable,
    pluralize,
    print_array,
    print_table,
    progress,
    shorten_list,
    table,
)
from dropmerge.operations.connection import Connection
from dropmerge.operations.rejected.export import Exported, write_file
from dropmerge.operations.rejected.reading import Reading, Tell
from dropmerge.operations.rejected.resubmit import Plan, Resubmission, Resubmitted, plan
from dropmerge.operations.rejected.row import Fault, RejectedRow
from dropmerge.operations.rejected.selection import Selection, count_loads, count_reasons, mark_done, select

commands = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

_SHOWN = 100
_WIDEST_VALUE = 40


@commands.callback()
def rejected(
    context: typer.Context,
    feed: FeedName = None,
    object_: Object = None,
    reason: RowReason = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write them as a file to fix and drop again, and their reasons."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="Rows shown. [default: 100, with --json all]"),
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
    """Rejected rows: how many by file and reason, and each with its place in the file and the values at fault.

    With --csv a file that can be dropped again once it is fixed: of a file that is merged the bad rows, of one that is
    a dead letter all rows. FILE.reasons.csv beside it says which are bad, and why.

    With --done those of one feed are taken off the list and the count of `status`, and the journal has who did it.
    """
    if context.invoked_subcommand:
        _require_none(context)
        return
    _require_sense(csv_file, done, dry_run or yes, as_json, limit)
    if done:
        require_confirmation("rejected --done", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        contract = connection.feed(feed) if feed or csv_file or done else None
        wanted = select(connection, contract.name if contract else None, object_, reason)
        if done:
            _take_off(connection, wanted, dry_run, yes)
        elif csv_file and contract:
            _write(connection, contract.name, wanted, csv_file)
        elif as_json:
            _print_json(connection, wanted, limit)
        else:
            _print(connection, wanted, limit or _SHOWN)


@commands.command()
def resubmit(
    loads: Annotated[
        list[str] | None, typer.Argument(metavar="[LOAD_ID]…", help="Of these loads only, as --json names them.")
    ] = None,
    feed: FeedName = None,
    object_: Object = None,
    reason: RowReason = None,
    timeout: Timeout = 600.0,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Check the rejected rows of merged files again, by today's contract, as a load of their own.

    They are dropped as an object of the feed. Once it is merged they leave the list; those that fail again are listed
    as rows of that object. Safe to interrupt and to repeat. Of a file that is a dead letter nothing is merged yet:
    `dropmerge dead-letters replay` checks the whole of it again. Exit code 1 unless all were merged.
    """
    require_confirmation("rejected resubmit", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        contract = connection.feed(feed)
        wanted = select(connection, contract.name, object_, reason, loads or ())
        planned = plan(connection, contract, wanted) if wanted else Plan([])
        if not as_json:
            _print_not_merged(planned)
        if wanted is None or not planned.rows or dry_run:
            _end_without(planned, as_json)
            return
        if not yes:
            confirm(f"send {_rows(planned)} in again?")
        with _told() as tell:
            run = Resubmission(Reading(connection, tell), contract, wanted, timeout)
            ended = list(run.run(planned.rows))
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in ended], indent=2))
    else:
        for one in ended:
            typer.echo(_outcome(one))
    if planned.not_merged or any(one.rejected_again or not one.is_done for one in ended):
        raise typer.Exit(1)


def _require_none(context: typer.Context) -> None:
    sources = [context.get_parameter_source(name) for name in context.params]
    if any(source and source.name == "COMMANDLINE" for source in sources):
        usage_error(f"options come after {context.invoked_subcommand}")


def _require_sense(csv_file: Path | None, done: bool, is_for_done: bool, as_json: bool, limit: int | None) -> None:
    chosen = [name for name, is_given in (("--csv", csv_file), ("--json", as_json), ("--done", done)) if is_given]
    if len(chosen) > 1:
        usage_error(f"{' and '.join(chosen)} exclude each other")
    if is_for_done and not done:
        usage_error("--yes and --dry-run are for --done: without it nothing is changed")
    if limit and (csv_file or done):
        usage_error("--limit is for what is shown: rows that were left out would be lost")


@contextmanager
def _told() -> Iterator[Tell]:
    """Shows how far a command is."""
    counts: dict[str, int] = {}
    with progress().status("looking") as line:

        def tell(what: str, count: int) -> None:
            counts[what] = counts.get(what, 0) + count
            line.update("; ".join(f"{number:,} {one}" for one, number in counts.items()))

        yield tell


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
    mark_done(connection, wanted, loads)
    typer.echo(f"{rows} taken off the list")


def _write(connection: Connection, feed: str, wanted: Selection | None, path: Path) -> None:
    if wanted is None or not count_loads(connection, wanted):
        typer.echo("no rejected rows")
        return
    with _told() as tell:
        reading = Reading(connection, tell)
        contract = connection.feed(feed)
        exported = write_file(reading, contract, wanted, path)
    _print_without_place(reading)
    if exported.whole is None and contract.mode == "upsert" and not contract.versions:
        typer.echo(f"the newest file of {feed} wins: dropped now, these rows win over what has come since", err=True)
    for line in _next_steps(feed, path, exported):
        typer.echo(line)


def _next_steps(feed: str, path: Path, exported: Exported) -> Iterator[str]:
    bad = pluralize(exported.rows, "bad row")
    if exported.whole is None:
        yield f"{path} has {bad}; {exported.reasons} says what is wrong with each"
        yield f"fix them, then `dropmerge drop --feed {feed} {path}`"
        yield f"once they are merged: `dropmerge rejected --feed {feed} --done`"
        return
    source = exported.whole.source
    narrow = f"--feed {feed} --object '{escape_unprintable(source.name)}'"
    named = escape_unprintable(str(source))
    why = f"{named} is a snapshot" if exported.is_merged else f"nothing of {named} is merged"
    yield f"{why}: {path} is the whole of it, with {bad}"
    yield f"{exported.reasons} says which those are, and what is wrong with each"
    yield f"fix them and leave the others, then `dropmerge drop --feed {feed} {path}`"
    if exported.is_merged:
        yield "but only if no newer snapshot has come: dropped now, this one is the table"
    else:
        yield f"once it is merged: `dropmerge dead-letters discard {narrow} --why fixed`"
    yield f"{'once it is merged:' if exported.is_merged else 'and'} `dropmerge rejected {narrow} --done`"


def _print_json(connection: Connection, wanted: Selection | None, limit: int | None) -> None:
    with _told() as tell:
        reading = Reading(connection, tell)
        if wanted is None:
            print_array([])
        elif limit:
            print_array(row.as_json() for row in reading.first(wanted, limit)[0])
        else:
            print_array(row.as_json() for row in reading.all(wanted))
    _print_without_place(reading)


def _print(connection: Connection, wanted: Selection | None, most: int) -> None:
    """Counts of all, and the first of them: the others are left where they are."""
    with _told() as tell:
        reading = Reading(connection, tell)
        rows, total = reading.first(wanted, most) if wanted else ([], 0)
    if wanted is None or not rows:
        typer.echo("no rejected rows")
        return
    summary = table("feed", "object", "reason", "rows")
    for key, count in count_reasons(connection, wanted).items():
        summary.add_row(*key, str(count))
    print_table(summary)
    for load, some in groupby(rows, lambda row: row.load):
        typer.echo(f"\n{escape_unprintable(str(load.source))}")
        _print_rows(list(some))
    if total > len(rows):
        typer.echo(
            f"… and {total - len(rows)} more: narrow it with --object or --reason, or take --limit, --json or --csv"
        )
    _print_without_place(reading)


def _print_rows(rows: Sequence[RejectedRow]) -> None:
    lines = table("record", "line", "reason", "value")
    for row in rows:
        place = ["" if number is None else str(number) for number in (row.record, row.line)]
        for fault in row.faults:
            why = fault.reason if fault.column is None else f"{fault.reason}: {fault.column}"
            lines.add_row(*place, why, _value(fault))
            place = ["", ""]
    print_table(lines)


def _value(fault: Fault) -> str:
    if fault.value is None:
        return ""
    text = escape_unprintable(json.dumps(fault.value, ensure_ascii=False))
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 1]}…"


def _print_without_place(reading: Reading) -> None:
    for why in shorten_list(list(reading.without_place.values())):
        typer.echo(f"rows without a number: {escape_unprintable(why)}", err=True)


def _print_not_merged(planned: Plan) -> None:
    for load, state in planned.not_merged.items():
        name = escape_unprintable(load.source.name)
        way_on = (
            f"`dropmerge dead-letters replay --feed {load.feed} --object '{name}'` checks the whole file again"
            if state == "dead_lettered"
            else "`dropmerge wait`, then try again"
        )
        typer.echo(f"{escape_unprintable(str(load.source))} is {state}, nothing of it is merged: {way_on}", err=True)


def _end_without(planned: Plan, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([{**one.load.fields, "rows": one.rows} for one in planned.rows], indent=2))
    elif planned.rows:
        typer.echo(f"{_rows(planned)} would be sent in again")
    elif not planned.not_merged:
        typer.echo("no rejected rows")
    if planned.not_merged and not planned.rows:
        abort("nothing was sent in again")


def _rows(planned: Plan) -> str:
    return f"{pluralize(sum(one.rows for one in planned.rows), 'row')} of {pluralize(len(planned.rows), 'file')}"


def _outcome(one: Resubmitted) -> str:
    rows, new = pluralize(one.of.rows, "row"), escape_unprintable(str(one.load.source))
    narrow = f"--feed {one.load.feed} --object '{escape_unprintable(one.load.source.name)}'"
    what = f"{rows} of {escape_unprintable(str(one.of.load.source))} were sent in again as {new}"
    if not one.is_done:
        why = f"{one.state} ({one.reason})" if one.reason else one.state
        return f"{what}, which is {why}: they stay on the list; `dropmerge dead-letters list {narrow}`"
    if one.state != "merged":
        return (
            f"{what}: {one.rejected_again} failed again, more than the feed tolerates, so nothing of it is merged: "
            f"`dropmerge rejected {narrow} --csv FILE`"
        )
    failed = f"; {one.rejected_again} failed again: `dropmerge rejected {narrow}`" if one.rejected_again else ""
    return f"{what}, and {one.of.rows - one.rejected_again} are merged{failed}"


def _as_json(one: Resubmitted) -> dict[str, object]:
    return {
        **one.of.load.fields,
        "rows": one.of.rows,
        "resubmitted_as": one.load.fields,
        "state": one.state.value,
        "reason": one.reason,
        "rejected_again": one.rejected_again,
    }
