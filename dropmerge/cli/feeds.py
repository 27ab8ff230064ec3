"""The commands themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropmerge.cli.exit_codes import abort, report_errors, usage_error
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, Feeds, Json
from dropmerge.cli.terminal import pluralize, print_table, table
from dropmerge.operations.feeds.infer import InferenceError, infer
from dropmerge.operations.feeds.write import contract_yaml, feed_name

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Contracts, before they are deployed.")


@commands.command("check")
def check_feeds(
    files: Annotated[list[Path] | None, typer.Argument(help="By default all of the folder.", exists=True)] = None,
    as_json: Json = False,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Check contracts; each fault with file, line and column. Exit code 1 if there is one."""
    from services.shared.contract.reader import Problem, check, check_together

    paths = files or sorted(feeds.glob("*.yaml"))
    if not paths:
        usage_error(f"{feeds}: no feeds (*.yaml) here")
    faults: list[Problem] = []
    good: list[tuple[Path, Feed]] = []
    for path in paths:
        feed, found = check(path)
        faults += found
        if feed:
            good.append((path, feed))
    faults += check_together(good)
    if as_json:
        typer.echo(json.dumps([vars(fault) for fault in faults], indent=2))
    else:
        for fault in faults:
            typer.echo(str(fault), err=True)
        if not faults:
            typer.echo(
                f"{pluralize(len(good), 'contract')} without a fault: {', '.join(feed.name for _, feed in good)}"
            )
    if faults:
        raise typer.Exit(1)


@commands.command("show")
def show_feeds(
    name: Annotated[str | None, typer.Argument(help="By default all, a line each.")] = None,
    as_json: Json = False,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """The contracts as they are understood."""
    from services.shared.contract.reader import read_feeds

    with report_errors():
        found = read_feeds(feeds)
    if name is not None and name not in found:
        usage_error(f"no feed {name!r}; there are: {', '.join(found)}")
    chosen = [found[name]] if name else list(found.values())
    if as_json:
        typer.echo(json.dumps([feed.model_dump(mode="json") for feed in chosen], indent=2))
        return
    overview = table("feed", "objects", "table", "key", "version", "delete", "bad rows")
    for feed in chosen:
        delete = f"{feed.delete.column} = {feed.delete.equals}" if feed.delete else ""
        bad = str(feed.bad_rows.at_most)
        overview.add_row(feed.name, feed.objects, feed.table, ", ".join(feed.key), feed.version, delete, bad)
    print_table(overview)
    if name:
        columns = table("column", "type", "required", "check")
        for column in chosen[0].columns:
            required = "yes" if column.name in chosen[0].required else ""
            columns.add_row(column.name, column.type, required, column.check or "")
        print_table(columns)


@commands.command()
def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)],
) -> None:
    """Print a first contract for files like this sample. What it is unsure of is marked by UNSURE."""
    try:
        contract = infer(file)
    except InferenceError as error:
        abort(error)
    typer.echo(contract_yaml(feed_name(file), contract), nl=False)
