"""`dropmerge rebuild`: a main table made anew from the archive."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
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


def _parse_time(text: str) -> datetime:
    """RFC 3339, or a date; UTC where no offset is given."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2025-01-31T09:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _parse_table(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]\w*\.[A-Za-z]\w*", text) or text.partition(".")[0].lower() in (STAGING, OPS):
        raise typer.BadParameter(f"{text!r} is not DATASET.TABLE, in a dataset that is not the pipeline's own")
    return text


def rebuild(
    feed: FeedArgument,
    into: Annotated[
        str | None,
        typer.Option(
            "--into", parser=_parse_table, metavar="DATASET.TABLE", help="Make this table, and swap nothing."
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", parser=_parse_time, metavar="TIME", help="With --into: files dropped until then."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", parser=_parse_time, metavar="TIME", help="With --into: files dropped from then on."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", parser=_parse_time, metavar="TIME", help="With --into: as --as-of."),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Also where rows vanish: files are gone or cannot be read.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Drop what an interrupted rebuild has made; merges go on.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Make a feed's main table anew from the archive, under today's contract, and put it in the live one's place.

    The table is built beside the live one, which meanwhile takes files as ever. Then merges wait for the moment in
    which one statement replaces the rows. Safe to interrupt and to repeat: what was built is not built again.

    What waits as a dead letter or was discarded is left out. Nothing is replaced if a file that the live table has
    can no longer be read.
    """
    if (as_of or since or until) and not into:
        usage_error("a part of the files is no main table: --as-of, --since and --until need --into")
    if as_of and until:
        usage_error("--as-of and --until are the same: give one")
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
            confirm(f"make {into or build.contract.table} anew?")
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
        typer.echo(f"would drop {build.table} and what was built of it")
        return
    if not yes:
        confirm(f"drop {build.table} and what was built of it?")
    give_up(build)
    typer.echo(f"given up: {build.table} is not being built")


def _preview(build: Build, window: Window, as_json: bool) -> None:
    from dropmerge.operations.rebuild.plan import differences, make_plan

    with progress().status("looking"):
        plan, changes = make_plan(build, window), differences(build)
    if as_json:
        typer.echo(json.dumps(_as_json(plan, changes), indent=2))
        return
    typer.echo(
        f"{pluralize(len(plan.files), 'file')} in the archive, {plan.size:,} bytes; "
        f"{plan.left_out} left out as dead letters that wait or were discarded; "
        f"{pluralize(len(plan.gone), 'merged file')} with no copy in the archive",
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


def _report(done: Rebuilt, way_on: str, as_json: bool) -> None:
    if as_json:
        refused = [one.as_json() for one in done.refused]
        said = {"table": done.table, "files": done.files, "rejected_rows": done.rejected_rows, "refused": refused}
        typer.echo(json.dumps(said, indent=2))
        return
    for line in shorten_list([f"{one.one.load.source}: {one.reason}: {one.detail}" for one in done.refused]):
        typer.echo(f"not read: {escape_unprintable(line)}", err=True)
    typer.echo(f"{done.table} is made anew of {pluralize(done.files, 'file')}")
    if done.rejected_rows:
        typer.echo(f"not in it: {pluralize(done.rejected_rows, 'row')} that failed a check{way_on}")
    typer.echo("Both services must run the contract that it was made by: `make deploy-ingest`, `make deploy-merge`")
