"""`dropmerge feeds check | show | init | test | schema | export | import`: contracts before they are deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import report_errors
from dropmerge.cli.feeds_test import run_tests
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, Json, Project, State, complete_feed
from dropmerge.cli.terminal import pluralize, print_records, print_table, table
from dropmerge.operations.feeds.contracts import check_contracts, choose_contracts

if TYPE_CHECKING:
    from dropmerge.operations.feeds.against import Effect
    from services.shared.contract.feed import Feed

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Draft, check, test and show contracts.")
commands.command("test")(run_tests)


@commands.command("check")
def check_feeds(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Contracts to check; by default all in the folder.", exists=True),
    ] = None,
    against: Annotated[
        bool, typer.Option("--against", help="Also show what deploying them would do to each main table.")
    ] = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Check contracts and report every error with its file, line and column. Exit code 1 if there is one.

    With --against they are also compared with the main tables of the local cloud, or of a project: a contract that
    merge would refuse is an error too.

    Example: dropmerge feeds check --against
    """
    with report_errors():
        checked = check_contracts(files or [], feeds)
        effects = _effects(state, project, feeds, checked.feeds) if against else []
    problems, notes = ([vars(one) for one in found] for found in (checked.problems, checked.notes))
    if as_json:
        answer = {"problems": problems, "notes": notes, "tables": list(map(vars, effects))} if against else problems
        typer.echo(json.dumps(answer, indent=2))
    else:
        for note in checked.notes:
            typer.echo(f"{note.file}:{note.line}:{note.column}: note: {note.what}", err=True)
        for problem in checked.problems:
            typer.echo(str(problem), err=True)
        if not checked.problems:
            names = ", ".join(feed.name for feed in checked.feeds)
            typer.echo(f"{pluralize(len(checked.feeds), 'contract')} OK: {names}")
        for effect in effects:
            _print_effect(effect)
    if checked.problems or any(effect.is_refused for effect in effects):
        raise typer.Exit(1)


def _effects(state: Path, project: str | None, feeds: Path, contracts: Sequence[Feed]) -> list[Effect]:
    # It brings Google's clients with it.
    from dropmerge.operations.feeds.against import effects

    return effects(connect(state, project, feeds), contracts)


def _print_effect(effect: Effect) -> None:
    for sentence in effect.sentences:
        typer.echo(
            f"{effect.feed}: {sentence}" if effect.is_refused else f"{effect.table} {sentence}", err=effect.is_refused
        )
    if effect.staged:
        files = pluralize(effect.staged, "file")
        typer.echo(f"{effect.feed}: {files} staged under another contract will be read again by this one")


@commands.command("show")
def show_feeds(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="FEED", autocompletion=complete_feed, help="The feed to show; by default all, one line per feed."
        ),
    ] = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show contracts as dropmerge reads them, and whether the services run the same ones.

    Example: dropmerge feeds show accounts
    """
    with report_errors():
        chosen = choose_contracts(feeds, name)
        running = _running(state, project, feeds)
    if as_json:
        typer.echo(json.dumps([_as_json(feed, running) for feed in chosen], indent=2))
        return
    overview = table("feed", "objects", "table", "key", "version", "delete", "bad rows", "contract", *running)
    for feed in chosen:
        delete = f"{feed.delete.column} = {feed.delete.equals}" if feed.delete else ""
        bad = str(feed.bad_rows.at_most)
        services = [_compared(feed, running[service]) for service in running]
        names = (feed.name, feed.objects, feed.table, ", ".join(feed.key) or f"none ({feed.mode})", _newest(feed))
        overview.add_row(*names, delete, bad, feed.fingerprint, *services)
    print_records(overview)
    if name:
        columns = table("column", "from", "type", "required", "default", "check")
        for column in chosen[0].columns:
            required = "yes" if column.name in chosen[0].required else ""
            header = "" if column.from_ is None else repr(column.from_)
            columns.add_row(column.name, header, column.type, required, column.default or "", column.check or "")
        print_table(columns)


def _newest(feed: Feed) -> str:
    """What says which of two rows of a key is newer."""
    from services.shared.contract.version import DEFAULT_AHEAD, GENERATION

    columns = feed.version.columns if feed.version else ()
    ahead = {one.name: "" if one.ahead == DEFAULT_AHEAD else f" (ahead: {one.ahead})" for one in columns}
    alone = f"{GENERATION}, {feed.mode}" if feed.mode == "snapshot" else GENERATION
    return ", ".join(f"{name}{more}" for name, more in ahead.items()) or (alone if feed.key else "")


def _running(state: Path, project: str | None, feeds: Path) -> Mapping[str, Mapping[str, str]]:
    """Of each service the contracts that it runs; nothing where no local cloud is up and no project is named."""
    from dropmerge.operations.deployed import read_deployed
    from localcloud.cloud import LocalCloud

    is_known = project or LocalCloud(state).is_running()
    return read_deployed(connect(state, project, feeds)).running if is_known else {}


def _compared(feed: Feed, running: Mapping[str, str]) -> str:
    found = running.get(feed.name)
    return "the same" if found == feed.fingerprint else found or "none"


def _as_json(feed: Feed, running: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    services = {service: running[service].get(feed.name) for service in running}
    return {**feed.model_dump(mode="json"), "contract": feed.fingerprint, "running": services}


@commands.command()
def init(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The sample file.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="FEED", help="The new feed's name. [default: the file's]")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write it to the folder of contracts, unless that has one of this name.")
    ] = False,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Draft a contract from a sample file, and print or write it.

    The sample may be CSV, newline-delimited JSON, Parquet, Avro or ORC. The draft's first line says how many of the
    sample's rows it keeps; its guesses are marked with UNSURE.

    Example: dropmerge feeds init orders.csv --write
    """
    # They bring pandas and DuckDB with them.
    from dropmerge.operations.feeds.inference.infer import infer
    from dropmerge.operations.feeds.inference.write import (
        contract_yaml,
        feed_name,
        next_commands,
        verdict,
        write_contract,
    )

    with report_errors():
        contract = infer(file)
        name = name or feed_name(file)
        text = contract_yaml(name, contract)
        path = write_contract(feeds, name, text) if write else None
    if path is None:
        typer.echo(text, nl=False)
        return
    typer.echo(f"{path}: {verdict(contract)}")
    typer.echo(f"{pluralize(text.count('UNSURE'), 'guess', 'guesses')} to check, marked with UNSURE. Then:")
    for command in next_commands(name, path, file):
        typer.echo(f"  {command}")


@commands.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of contracts, for editors. It is also in docs/feed.schema.json."""
    from dropmerge.operations.feeds.schema import schema_text

    typer.echo(schema_text(), nl=False)


@commands.command("export")
def export_feed(
    odcs: Annotated[
        str,
        typer.Option(
            "--odcs",
            metavar="FEED",
            autocompletion=complete_feed,
            help="The feed to print, in the Open Data Contract Standard 3.1.",
        ),
    ],
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Print a contract in a standard's format.

    Example: dropmerge feeds export --odcs accounts
    """
    from dropmerge.operations.feeds.odcs.export import export_yaml

    with report_errors():
        (feed,) = choose_contracts(feeds, odcs)
        # Nothing is asked of the local cloud, whose names are always these.
        landing = connect(state, project, feeds).landing if project else "landing"
        typer.echo(export_yaml(feed, project or "local", landing), nl=False)


@commands.command("import")
def import_contract(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The ODCS document.")
    ],
    write: Annotated[bool, typer.Option("--write", help="Write each contract to the folder of contracts.")] = False,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Draft a contract for each object of an Open Data Contract Standard document.

    What the document does not say is marked with UNSURE. --write writes each to a new file, or nothing if one of them
    has an error or exists already.

    Example: dropmerge feeds import orders.odcs.yaml --write
    """
    from dropmerge.operations.feeds.odcs.document import read_document
    from dropmerge.operations.feeds.odcs.draft import drafts
    from dropmerge.operations.feeds.odcs.write import write_drafts

    with report_errors():
        found = drafts(read_document(file))
        if write:
            for path in write_drafts(found, feeds):
                typer.echo(f"{path}: check what is marked with UNSURE, then run: dropmerge feeds check {path}")
        else:
            typer.echo("---\n".join(draft.yaml() for draft in found), nl=False)
