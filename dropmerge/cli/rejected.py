"""`dropmerge rejected`, `dropmerge rejected resubmit`: rows that failed their checks."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer._click.shell_completion import CompletionItem

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.completion import complete_file
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
    parse_file,
    parse_since,
)
from dropmerge.cli.plain_help import PlainGroup
from dropmerge.cli.terminal import (
    confirm,
    escape_unprintable,
    is_interactive,
    pluralize,
    print_array,
    print_table,
    progress,
    shorten_list,
    table,
)

if TYPE_CHECKING:
    from dropmerge.operations.connection import Connection
    from dropmerge.operations.rejected.export import Exported
    from dropmerge.operations.rejected.reading import Reading, Tell
    from dropmerge.operations.rejected.resubmit import Plan, Resubmitted
    from dropmerge.operations.rejected.row import Fault, RejectedRow
    from dropmerge.operations.rejected.selection import Selection

# What works on rows is imported where it is used: with its imports, completion would not answer at once.


class _FilesOrCommand(PlainGroup):
    """Takes names of files where other groups take the name of a subcommand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Options may come before and after the names."""
        if self.commands.keys() & set(args):
            rest: list[str] = super().parse_args(ctx, args)
            return rest
        ctx.allow_interspersed_args = True
        super().parse_args(ctx, args)
        ctx.obj = [*ctx._protected_args, *ctx.args]
        ctx._protected_args, ctx.args = [], []
        return []

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What is written after the command's name."""
        return ["[OPTIONS]", "[FILE...]", "|", *self.commands]

    def shell_complete(self, ctx: Any, incomplete: str) -> list[CompletionItem]:
        """Subcommands and options, or names of files."""
        offered: list[CompletionItem] = super().shell_complete(ctx, incomplete)
        return offered or [CompletionItem(name) for name in complete_file(ctx, incomplete)]


commands = typer.Typer(cls=_FilesOrCommand, invoke_without_command=True, rich_markup_mode=None)

_SHOWN = 20
_MOST_COUNTS = 20
_WIDEST_VALUE = 40


@commands.callback()
def rejected(
    context: typer.Context,
    feed: FeedName = None,
    object_: Object = None,
    reason: RowReason = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", parser=parse_since, metavar="AGE|DATE", help="Only rows rejected since then, such as 12h."
        ),
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Write them to FILE, to be fixed and dropped again, and their reasons beside it.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="Show at most N rows. [default: 20, with --json all]"),
    ] = None,
    done: Annotated[
        bool, typer.Option("--done", help="Take them off the list, once they are merged or not wanted.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show rows that failed a check: counts per file and reason, then rows with their places and the bad values.

    The newest files come first.

    Files are named by gs://bucket/object, by a name or its end, by a load's id, or by a glob.

    --csv writes a file that can be corrected and dropped again: the bad rows of a file that is merged, all rows of a
    file that is a dead letter. FILE.reasons.csv beside it says which rows are bad, and why.

    --done takes those of one feed off the list and out of the count of `status`; the journal records who did it.

    Example: dropmerge rejected accounts/half.csv --csv fixes.csv
    """
    if context.invoked_subcommand:
        _require_none(context)
        return
    _require_sense(csv_file, done, dry_run or yes, as_json, limit)
    if done:
        require_confirmation("rejected --done", dry_run, yes)
    from dropmerge.operations.rejected.selection import select

    with report_errors():
        connection = connect(state, project, feeds)
        files = [*map(parse_file, context.obj or []), *([object_] if object_ else [])]
        wanted = select(connection, connection.feed(feed).name if feed else None, files, reason)
        contract = connection.feed(feed or (wanted.feed if wanted else "") or None) if csv_file or done else None
        if wanted and contract:
            wanted = replace(wanted, feed=contract.name)
        if wanted and since:
            wanted = replace(wanted, since=since)
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
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE", help="Only rows of these files, each by its URI, its name or the end of it, or an id."
        ),
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
    """Submit the rejected rows of merged files again, under the current contract.

    They are dropped as a new file of the feed. Once that is merged they leave the list; rows that fail again are
    listed under the new file. Safe to interrupt and to repeat. Nothing of a dead-lettered file is merged yet:
    `dropmerge dead-letters replay` checks all of it again. Exit code 1 unless every row was merged.

    Example: dropmerge rejected resubmit --feed accounts --reason not_a_number
    """
    require_confirmation("rejected resubmit", dry_run, yes)
    from dropmerge.operations.rejected.reading import Reading
    from dropmerge.operations.rejected.resubmit import Plan, Resubmission, plan
    from dropmerge.operations.rejected.selection import select

    with report_errors():
        connection = connect(state, project, feeds)
        named = [*map(parse_file, files or []), *([object_] if object_ else [])]
        wanted = select(connection, connection.feed(feed).name if feed else None, named, reason)
        contract = connection.feed(feed or (wanted.feed if wanted else "") or None)
        wanted = replace(wanted, feed=contract.name) if wanted else None
        planned = plan(connection, contract, wanted) if wanted else Plan([])
        if not as_json:
            _print_not_merged(planned)
        if wanted is None or not planned.rows or dry_run:
            _end_without(planned, as_json)
            return
        if not yes:
            confirm(f"submit {_rows(planned)} again?")
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
        usage_error("--limit only limits what is shown: with --csv and --done, rows would be lost")


@contextmanager
def _told() -> Iterator[Tell]:
    """Shows the progress of a command."""
    counts: dict[str, int] = {}
    with progress().status("looking") as line:

        def tell(what: str, count: int) -> None:
            counts[what] = counts.get(what, 0) + count
            line.update("; ".join(f"{number:,} {one}" for one, number in counts.items()))

        yield tell


def _take_off(connection: Connection, wanted: Selection | None, dry_run: bool, yes: bool) -> None:
    from dropmerge.operations.rejected.selection import count_loads, mark_done

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
    from dropmerge.operations.rejected.export import write_file
    from dropmerge.operations.rejected.reading import Reading
    from dropmerge.operations.rejected.selection import count_loads

    if wanted is None or not count_loads(connection, wanted):
        typer.echo("no rejected rows")
        return
    with _told() as tell:
        reading = Reading(connection, tell)
        contract = connection.feed(feed)
        exported = write_file(reading, contract, wanted, path)
    _print_without_place(reading)
    if exported.whole is None and contract.mode == "upsert" and not contract.versions:
        typer.echo(f"the newest file of {feed} wins: if you drop these rows now, they replace newer ones", err=True)
    for line in _next_steps(feed, path, exported):
        typer.echo(line)


def _next_steps(feed: str, path: Path, exported: Exported) -> Iterator[str]:
    bad = pluralize(exported.rows, "bad row")
    if exported.whole is None:
        yield f"{path} has {bad}; {exported.reasons} says what is wrong with each"
        yield f"correct them, then run `dropmerge drop --feed {feed} {path}`"
        yield f"once they are merged, run `dropmerge rejected --feed {feed} --done`"
        return
    source = exported.whole.source
    narrow = f"--feed {feed} --object '{escape_unprintable(source.name)}'"
    named = escape_unprintable(str(source))
    why = f"{named} is a snapshot" if exported.is_merged else f"nothing of {named} is merged"
    yield f"{why}: {path} has all of its rows, {bad} among them"
    yield f"{exported.reasons} says which rows are bad, and why"
    yield f"correct those and leave the others, then run `dropmerge drop --feed {feed} {path}`"
    if exported.is_merged:
        yield "but only if no newer snapshot has arrived: if you drop this one now, it becomes the table"
    else:
        yield f"once it is merged, run `dropmerge dead-letters discard {narrow} --why fixed`"
    yield f"{'once it is merged, run' if exported.is_merged else 'and'} `dropmerge rejected {narrow} --done`"


def _print_json(connection: Connection, wanted: Selection | None, limit: int | None) -> None:
    from dropmerge.operations.rejected.reading import Reading

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
    from dropmerge.operations.rejected.reading import Reading
    from dropmerge.operations.rejected.selection import count_reasons

    with _told() as tell:
        reading = Reading(connection, tell)
        rows, total = reading.first(wanted, most) if wanted else ([], 0)
    if wanted is None or not rows:
        typer.echo("no rejected rows")
        return
    summary = table("feed", "object", "reason", "rows")
    counts = count_reasons(connection, wanted)
    files = len({key[:2] for key in counts})
    for key, count in islice(counts.items(), _MOST_COUNTS):
        summary.add_row(*map(escape_unprintable, key), str(count))
    print_table(summary)
    if len(counts) > _MOST_COUNTS:
        typer.echo(f"… and {len(counts) - _MOST_COUNTS} more reasons of these files, or others")
    for load, some in groupby(rows, lambda row: row.load):
        typer.echo(f"\n{escape_unprintable(str(load.source))}")
        _print_rows(list(some))
    if total > len(rows):
        choose = "" if files == 1 else "name a file, or "
        typer.echo(f"… and {total - len(rows)} more: {choose}use --since, --reason, --limit, --json or --csv")
    typer.echo(f"{pluralize(total, 'rejected row')} of {pluralize(files, 'file')}")
    if files == 1 and is_interactive(sys.stdout):
        name = escape_unprintable(shlex.quote(rows[0].load.source.name))
        typer.echo(f"next: dropmerge rejected {name} --csv FILE  # to be corrected and dropped again")
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
        next_step = (
            f"`dropmerge dead-letters replay --feed {load.feed} --object '{name}'` checks the whole file again"
            if state == "dead_lettered"
            else "run `dropmerge wait`, then try again"
        )
        typer.echo(
            f"{escape_unprintable(str(load.source))} is {state}, so none of its rows are merged: {next_step}", err=True
        )


def _end_without(planned: Plan, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([{**one.load.fields, "rows": one.rows} for one in planned.rows], indent=2))
    elif planned.rows:
        typer.echo(f"{_rows(planned)} would be submitted again")
    elif not planned.not_merged:
        typer.echo("no rejected rows")
    if planned.not_merged and not planned.rows:
        abort("nothing was submitted again")


def _rows(planned: Plan) -> str:
    return f"{pluralize(sum(one.rows for one in planned.rows), 'row')} of {pluralize(len(planned.rows), 'file')}"


def _outcome(one: Resubmitted) -> str:
    rows, new = pluralize(one.of.rows, "row"), escape_unprintable(str(one.load.source))
    narrow = f"--feed {one.load.feed} --object '{escape_unprintable(one.load.source.name)}'"
    what = f"{rows} of {escape_unprintable(str(one.of.load.source))} were submitted again as {new}"
    if not one.is_done:
        why = f"{one.state} ({one.reason})" if one.reason else one.state
        return f"{what}, which is {why}: they stay on the list; `dropmerge dead-letters list {narrow}`"
    if one.state != "merged":
        return (
            f"{what}: {one.rejected_again} failed again, more than the feed tolerates, so none of them are merged: "
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
