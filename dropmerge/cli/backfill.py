"""`dropmerge backfill`: publish notifications for files that are not merged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import typer

from dropmerge.cli.command import connect, require_confirmation
from dropmerge.cli.exit_codes import report_errors
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    Feeds,
    Json,
    Project,
    Rate,
    State,
    Yes,
)
from dropmerge.cli.terminal import confirm, escape_unprintable, pluralize, progress, shorten_list
from dropmerge.operations.backfill import Candidate, Candidates, LeftOut, find_prefix, publish_notifications
from dropmerge.operations.rate import RateLimiter
from services.shared.load import Load


def backfill(
    where: Annotated[
        str,
        typer.Argument(
            metavar="gs://BUCKET/PREFIX",
            help="Where to look, in the landing or archive bucket; or one file, by its name or an id.",
        ),
    ],
    dead_letters: Annotated[
        bool, typer.Option("--dead-letters", help="Also files that are waiting as dead letters.")
    ] = False,
    discarded: Annotated[
        bool, typer.Option("--discarded", help="Also files whose dead letter was discarded.")
    ] = False,
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Re-announce every object that matches a feed and has not been merged.

    Use it when notifications were lost, or for files that were in the bucket before the pipeline. Files that are dead
    letters or were discarded are counted and left out, unless you ask for them. Safe to interrupt and to repeat: a
    merged file is not announced, and one in progress is merged once.

    A file that the landing bucket no longer has is announced from its copy in the archive. With the archive bucket,
    only the copies there are looked at.

    Example: dropmerge backfill gs://landing/incoming/ --dry-run
    """
    ask_first = not dry_run and not yes
    require_confirmation("backfill", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        prefix, is_one = find_prefix(connection, where)
        candidates, limiter = Candidates(connection, prefix, dead_letters, discarded, is_one), RateLimiter(rate)
        batches: Iterable[list[Candidate]] = candidates.batches(limiter.batch)
        if ask_first:
            batches = _confirmed(candidates, batches)
        announced: list[Candidate] = []
        with progress().status("looking") as line:
            candidates.tell = line.update
            for some in batches:
                if not dry_run:
                    limiter.wait(len(some))
                    publish_notifications(connection, some)
                announced += some
                line.update(pluralize(len(announced), "object"))
    for name in candidates.nameless:
        shown = escape_unprintable(name)
        typer.echo(f"{shown}: not a copy made by ingest: its metadata does not name a source", err=True)
    if as_json:
        typer.echo(json.dumps([one.load.fields for one in announced], indent=2))
    elif not ask_first:
        _list([one.load for one in announced])
    what = f"{pluralize(len(announced), 'file')}{_of_archive(candidates, announced)}"
    done = f"{'would re-announce' if dry_run else 're-announced'} {what}"
    typer.echo("; ".join([done, *_explain_left_out(candidates, len(announced))]), err=as_json)


def _explain_left_out(candidates: Candidates, announced: int) -> Iterator[str]:
    """Why no more were announced, one sentence per reason."""
    left_out = candidates.left_out
    if not announced and not left_out.total():
        yield escape_unprintable(f"no object has a name that begins with {candidates.prefix}")
    if count := left_out[LeftOut.UNWANTED]:
        patterns = ", ".join(f"{feed.name}: {feed.objects}" for feed in candidates.connection.feeds.values())
        yield f"{count} {'matches' if count == 1 else 'match'} no feed ({patterns})"
    if count := left_out[LeftOut.NAMELESS]:
        yield f"{_are(count)} not {'a copy' if count == 1 else 'copies'} made by ingest"
    if count := left_out[LeftOut.MOVED]:
        moved = ", ".join(f"{feed} into {table}" for feed, table in candidates.moved.items())
        yield (
            f"{_are(count)} of feeds whose files were merged into another table than their contracts name ({moved}): "
            "use `dropmerge rebuild FEED` to fill the new one"
        )
    if count := left_out[LeftOut.MERGED]:
        yield f"{_are(count)} merged already"
    if count := left_out[LeftOut.DEAD_LETTERED]:
        how = "waiting as a dead letter" if count == 1 else "waiting as dead letters"
        yield f"{_are(count)} {how}: replay instead, or use --dead-letters"
    if count := left_out[LeftOut.DISCARDED]:
        yield f"{count} {'was' if count == 1 else 'were'} discarded: use --discarded to announce them anyway"


def _of_archive(candidates: Candidates, found: Sequence[Candidate]) -> str:
    """How many of them the bucket that was asked for no longer has."""
    gone = sum(one.is_archived for one in found)
    return (
        f", {gone} of them only in the archive"
        if gone and candidates.prefix.bucket != candidates.connection.archive
        else ""
    )


def _are(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'}"


def _confirmed(candidates: Candidates, found: Iterable[list[Candidate]]) -> list[list[Candidate]]:
    """What the person has seen and agreed to, and nothing that comes while they think."""
    with progress().status("looking") as line:
        candidates.tell = line.update
        batches = list(found)
    if batches:
        all_ = [one for batch in batches for one in batch]
        _list([one.load for one in all_], err=True)
        what = pluralize(len(all_), "unmerged file")
        confirm(f"Re-announce {what}{_of_archive(candidates, all_)} under {candidates.prefix}?")
    return batches


def _list(loads: Sequence[Load], err: bool = False) -> None:
    for line in shorten_list([escape_unprintable(f"{load.source}  {load.feed}") for load in loads]):
        typer.echo(line, err=err)
