"""`dropmerge feeds check | show | init`: contracts before they are deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dropmerge.cli.exit_codes import report_errors
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, Feeds, Json
from dropmerge.cli.terminal import pluralize, print_table, table
from dropmerge.operations.feeds.contracts import check_contracts, choose_contracts
from dropmerge.operations.feeds.infer import infer
from dropmerge.operations.feeds.write import contract_yaml, feed_name

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Contracts, before they are deployed.")


@commands.command("check")
def check_feeds(
    files: Annotated[list[Path] | None, typer.Argument(help="By default all of the folder.", exists=True)] = None,
    as_json: Json = False,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Check contracts; each fault with file, line and column. Exit code 1 if there is one."""
    with report_errors():
        checked = check_contracts(files or [], feeds)
    if as_json:
        typer.echo(json.dumps([vars(problem) for problem in checked.problems], indent=2))
    else:
        for problem in checked.problems:
            typer.echo(str(problem), err=True)
        if not checked.problems:
            names = ", ".join(feed.name for feed in checked.feeds)
            typer.echo(f"{pluralize(len(checked.feeds), 'contract')} without a fault: {names}")
    if checked.problems:
        raise typer.Exit(1)


@commands.command("show")
def show_feeds(
    name: Annotated[str | None, typer.Argument(help="By default all, one line per feed.")] = None,
    as_json: Json = False,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """The contracts as they are understood."""
    with report_errors():
        chosen = choose_contracts(feeds, name)
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
    with report_errors():
        contract = infer(file)
    typer.echo(contract_yaml(feed_name(file), contract), nl=False)
