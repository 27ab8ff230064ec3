"""`dropmerge rebuild`: a main table is rebuilt from the archive."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.exit_codes import report_errors, usage_error
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
    parse_time,
)
from dropmerge.cli.terminal import (
    confirm,
    escape_unprintable,
    files_merged,
    pluralize,
    progress,
    shorten_list,
)
from services.shared.datasets import OPS, STAGING

if TYPE_CHECKING:
    from dropmerge.operations.connection import Connection
    from dropmerge.operations.rebuild.archive import Window
    from dropmerge.operations.rebuild.build import Build
    from dropmerge.operations.rebuild.plan import Plan
    from dropmerge.operations.rebuild.rebuild import Rebuilt


def _parse_table(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]\w*\.[A-Za-z]\w*", text) or text.partition(".")[0].lower() in (STAGING, OPS):
        raise typer.BadParameter(f"{text!r} is not DATASET.TABLE, in a dataset that is not the pipeline's own")
    return text


def rebuild(
    feed: FeedArgument,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            parser=_parse_table,
            metavar="DATASET.TABLE",
            help="Build this table instead, and replace nothing.",
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", parser=parse_time, metavar="TIME", help="With --into: only files dropped until then."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", parser=parse_time, metavar="TIME", help="With --into: only files dropped from then on."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", parser=parse_time, metavar="TIME", help="With --into: the same as --as-of."),
    ] = None,
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="Continue even if rows vanish because files are gone or unreadable."),
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Drop what an interrupted rebuild has built, and let merges continue.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Rebuild a feed's main table from the archive under the current contract, and replace the live one with it.

    The new table is built beside the live one, into which files are merged as usual meanwhile. Then merges pause for
    the moment in which one statement replaces the rows. Safe to interrupt and to repeat: nothing is built twice.

    Files that are dead letters or were discarded are left out. Nothing is replaced if a file whose rows are in the
    live table can no longer be read.

    Example: dropmerge rebuild accounts --dry-run
    """
    if (as_of or since or until) and not into:
        usage_error("some of the files do not make a main table: --as-of, --since and --until need --into")
    if as_of and until:
        usage_error("--as-of and --until mean the same: give one of them")
    require_confirmation("rebuild", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        from dropmerge.operations.rebuild.archive import Window

        window = Window(since, as_of or until)
        build = _build(connection, feed, into, window)
        if abandon:
            _abandon(build, dry_run, yes)
            return
        if dry_run or not yes:
            _preview(build, window, as_json=as_json and dry_run)
        if dry_run:
            return
        if not yes:
            confirm(f"rebuild {into or build.contract.table}?")
        done = _run(build, window, allow_missing)
        connection.journal.record("rebuilt", {"feed": feed}, table=done.table, files=done.files)
    _report(done, "" if into else f": `dropmerge rejected --feed {feed}` lists them", as_json)


def _build(connection: Connection, feed: str, into: str | None, window: Window) -> Build:
    from dropmerge.operations.rebuild.rebuild import rebuild_in_place, rebuild_into

    contract = connection.feed(feed)
    return rebuild_into(connection, contract, into, window) if into else rebuild_in_place(connection, contract)


def _abandon(build: Build, dry_run: bool, yes: bool) -> None:
    from dropmerge.operations.rebuild.rebuild import give_up

    if dry_run:
        typer.echo(f"would drop {build.table} and everything built for it")
        return
    if not yes:
        confirm(f"drop {build.table} and everything built for it?")
    give_up(build)
    typer.echo(f"abandoned: {build.table} is no longer being built")


def _preview(build: Build, window: Window, as_json: bool) -> None:
    from dropmerge.operations.rebuild.plan import differences, make_plan

    with progress().status("looking"):
        plan, changes = make_plan(build, window), differences(build)
    if as_json:
        typer.echo(json.dumps(_as_json(plan, changes), indent=2))
        return
    typer.echo(
        f"{pluralize(len(plan.files), 'file')} in the archive, {plan.size:,} bytes; "
        f"{plan.left_out} left out, as dead letters that are waiting or were discarded; "
        f"{pluralize(len(plan.gone), 'merged file')} without a copy in the archive",
        err=True,
    )
    for line in changes:
        typer.echo(f"{build.contract.table}: {line}", err=True)


def _as_json(plan: Plan, changes: list[str]) -> dict[str, object]:
    return {
        "files": len(plan.files),
        "bytes": plan.size,
        "left_out": plan.left_out,
        "gone": list(plan.gone),
        "changes": changes,
    }


def _run(build: Build, window: Window, allow_missing: bool) -> Rebuilt:
    from dropmerge.operations.rebuild.rebuild import Rebuild

    with files_merged() as tell:
        return Rebuild(build, window, allow_missing, tell).run()


def _report(done: Rebuilt, hint: str, as_json: bool) -> None:
    if as_json:
        refused = [one.as_json() for one in done.refused]
        said = {"table": done.table, "files": done.files, "rejected_rows": done.rejected_rows, "refused": refused}
        typer.echo(json.dumps(said, indent=2))
        return
    for line in shorten_list([f"{one.one.load.source}: {one.reason}: {one.detail}" for one in done.refused]):
        typer.echo(f"not read: {escape_unprintable(line)}", err=True)
    typer.echo(f"{done.table} was rebuilt from {pluralize(done.files, 'file')}")
    if done.rejected_rows:
        typer.echo(f"left out: {pluralize(done.rejected_rows, 'row')} that failed a check{hint}")
    typer.echo("Both services must run the contract that it was built with: `make deploy-ingest`, `make deploy-merge`")
