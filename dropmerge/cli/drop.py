"""`dropmerge drop`: upload files to the landing bucket, and say what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import FAILED, abort, report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    Feeds,
    Json,
    Project,
    State,
    TargetFeed,
    Timeout,
    To,
    Yes,
)
from dropmerge.cli.outcomes import count_steps, describe, why_not_ended
from dropmerge.cli.terminal import confirm, escape_unprintable, pluralize, progress, require_terminal, shorten_list
from dropmerge.operations.connection import Connection
from dropmerge.operations.drop import Target, find_overwritten, find_targets
from dropmerge.operations.drop import drop as upload
from dropmerge.operations.gcs_uri import GcsUri
from dropmerge.operations.loads.outcomes import Outcome, Sent, follow
from services.shared.generation import ObjectGeneration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Dropped = list[tuple[Target, ObjectGeneration | None]]
"""Each file with what it is now; None where it is only said what would be done."""


def drop(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE", help="The files, all of one feed."),
    ],
    feed: TargetFeed = None,
    to: To = None,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait, and print what became of each file; exit code 1 unless all are merged."),
    ] = False,
    timeout: Timeout = 600.0,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Upload files to the landing bucket, where the pipeline finds them.

    It asks before it overwrites an object, and refuses to without a terminal, unless --yes.
    """
    if feed and to:
        usage_error("--feed and --to exclude each other")
    outcomes: dict[ObjectGeneration, Outcome] = {}
    with report_errors():
        connection = connect(state, project, feeds)
        targets = find_targets(connection, files, feed, to)
        if dry_run:
            _print_dropped([(target, None) for target in targets], outcomes, as_json)
            return
        if not yes:
            _confirm(list(find_overwritten(connection, targets)))
        dropped = _upload(connection, targets)
        if not as_json:
            _print_dropped(dropped, outcomes, as_json)
        try:
            if wait:
                ends = _follow(connection, dropped, timeout)
                outcomes.update((one.source, one) for one in ends)
        finally:
            if as_json:
                _print_dropped(dropped, outcomes, as_json)
    if wait and not as_json:
        for target, source in dropped:
            if source:
                typer.echo(describe(outcomes[source], str(target.file)))
    if pending := [one for one in outcomes.values() if not one.state.is_terminal]:
        words = f"after {timeout:g} s: {count_steps(one.state for one in pending)}"
        abort("\n".join([words, *why_not_ended(state, project)]))
    if not all(one.is_merged for one in outcomes.values()):
        raise typer.Exit(FAILED)


def _upload(connection: Connection, targets: Sequence[Target]) -> Dropped:
    """With a bar for each file, where there is a terminal to show it."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn

    console = progress()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), DownloadColumn())
    dropped: Dropped = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        for target in targets:
            bar = bars.add_task(escape_unprintable(target.file.name), total=target.file.stat().st_size)
            source = upload(connection, target, partial(_advance, bars, bar))
            bars.remove_task(bar)
            dropped.append((target, source))
    return dropped


def _advance(bars: Progress, bar: TaskID, sent: int) -> None:
    bars.update(bar, completed=sent, refresh=True)


def _follow(connection: Connection, dropped: Dropped, seconds: float) -> Sequence[Outcome]:
    sent = [Sent(source) for _, source in dropped if source]
    with progress().status(f"{pluralize(len(sent), 'file')} in flight") as line:
        return follow(
            connection,
            sent,
            seconds,
            lambda all_of_them: line.update(
                count_steps(one.state for one in all_of_them if not one.state.is_terminal)
            ),
        )


def _confirm(overwritten: Sequence[GcsUri]) -> None:
    if not overwritten:
        return
    names = ", ".join(shorten_list([escape_unprintable(str(uri)) for uri in overwritten]))
    require_terminal(f"overwriting {names}")
    confirm(f"overwrite {names}?")


def _print_dropped(dropped: Dropped, outcomes: Mapping[ObjectGeneration, Outcome], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_as_json(*one, outcomes) for one in dropped], indent=2))
        return
    for target, source in dropped:
        file = escape_unprintable(str(target.file))
        uri = escape_unprintable(str(target.uri))
        typer.echo(
            f"uploaded {file} to {uri} (generation {source.generation})" if source else f"{file} would go to {uri}"
        )


def _as_json(
    target: Target, source: ObjectGeneration | None, outcomes: Mapping[ObjectGeneration, Outcome]
) -> dict[str, Any]:
    uri, generation = target.uri, source.generation if source else None
    outcome = outcomes.get(source) if source else None
    end = outcome.as_json() if outcome else {}
    return {"file": str(target.file), "bucket": uri.bucket, "object": uri.name, "generation": generation, **end}
