"""`dropmerge drop`: put files in the landing bucket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    Feeds,
    Json,
    Project,
    State,
    TargetFeed,
    To,
    Yes,
)
from dropmerge.cli.terminal import confirm, escape_unprintable, progress, require_terminal, shorten_list
from dropmerge.operations.drop import Target, find_overwritten, find_targets
from dropmerge.operations.drop import drop as upload
from dropmerge.operations.gcs_uri import GcsUri


def drop(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, metavar="FILE…", help="Of one feed.")
    ],
    feed: TargetFeed = None,
    to: To = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Put files in the landing bucket, where the pipeline finds them; with progress for large ones.

    It asks before it overwrites an object, and refuses to without a terminal, unless --yes.
    """
    if feed and to:
        usage_error("--feed and --to exclude each other")
    with report_errors():
        connection = connect(state, project, feeds)
        targets = find_targets(connection, files, feed, to)
        if not dry_run and not yes:
            _confirm(list(find_overwritten(connection, targets)))
        dropped = []
        for target in targets:
            generation = None
            if not dry_run:
                with progress().status(f"dropping {target.file}"):
                    generation = upload(connection, target)
            dropped.append((target, generation))
    if as_json:
        typer.echo(json.dumps([_as_json(target, generation) for target, generation in dropped], indent=2))
        return
    for target, generation in dropped:
        verb, suffix = ("would go to", "") if dry_run else ("is", f"#{generation}")
        typer.echo(f"{target.file} {verb} {target.uri}{suffix}")


def _confirm(overwritten: Sequence[GcsUri]) -> None:
    if not overwritten:
        return
    names = ", ".join(shorten_list([escape_unprintable(str(uri)) for uri in overwritten]))
    require_terminal(f"overwriting {names}")
    confirm(f"overwrite {names}?")


def _as_json(target: Target, generation: int | None) -> dict[str, object]:
    uri = target.uri
    return {"file": str(target.file), "bucket": uri.bucket, "object": uri.name, "generation": generation}
