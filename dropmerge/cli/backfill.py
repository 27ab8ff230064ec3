"""`dropmerge backfill`: publish notifications for objects that are not merged."""

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
    parse_gcs_uri,
)
from dropmerge.cli.terminal import confirm, escape_unprintable, pluralize, progress, shorten_list
from dropmerge.operations.backfill import Candidate, Candidates, LeftOut, publish_notifications
from dropmerge.operations.gcs_uri import GcsUri
from dropmerge.operations.rate import RateLimiter
from services.shared.load import Load


def backfill(
    prefix: Annotated[GcsUri, typer.Argument(parser=parse_gcs_uri, metavar="gs://BUCKET/PREFIX")],
    dead_letters: Annotated[bool, typer.Option("--dead-letters", help="Also what waits as a dead letter.")] = False,
    discarded: Annotated[bool, typer.Option("--discarded", help="Also what was discarded.")] = False,
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Announce every live object that a feed matches and the ledger does not know.

    What waits as a dead letter or was discarded is left out unless asked for, and counted.

    The message is the one that Cloud Storage sends, with an attribute announced_by, so it also finds objects that
    never got a notification. Safe to interrupt and to repeat: a load already merged is not announced, one on its
    way is merged once.

    Of the archive bucket, the generations that were pinned there are announced, also those that are long gone
    from the landing bucket.
    """
    ask_first = not dry_run and not yes
    require_confirmation("backfill", dry_run, yes)
    with report_errors():
        connection = connect(state, project, feeds)
        candidates, limiter = Candidates(connection, prefix, dead_letters, discarded), RateLimiter(rate)
        batches: Iterable[list[Candidate]] = candidates.batches(limiter.batch)
        if ask_first:
            batches = _confirmed(batches)
        announced: list[Load] = []
        with progress().status("looking") as line:
            for some in batches:
                if not dry_run:
                    limiter.wait(len(some))
                    publish_notifications(connection, some)
                announced += [one.load for one in some]
                line.update(pluralize(len(announced), "object"))
    for name in candidates.nameless:
        shown = escape_unprintable(name)
        typer.echo(f"{shown}: not a copy that ingest made: its metadata does not identify a source", err=True)
    if as_json:
        typer.echo(json.dumps([load.fields for load in announced], indent=2))
    elif not ask_first:
        _list(announced)
    done = f"{'would announce' if dry_run else 'announced'} {pluralize(len(announced), 'object')}"
    typer.echo("; ".join([done, *_explain_left_out(candidates, len(announced))]), err=as_json)


def _explain_left_out(candidates: Candidates, announced: int) -> Iterator[str]:
    """Why not more were announced, each reason apart."""
    left_out = candidates.left_out
    if not announced and not left_out.total():
        yield escape_unprintable(f"no object's name begins with {candidates.prefix}")
    if count := left_out[LeftOut.UNWANTED]:
        patterns = ", ".join(f"{feed.name}: {feed.objects}" for feed in candidates.connection.feeds.values())
        yield f"no feed wants {count} ({patterns})"
    if count := left_out[LeftOut.NAMELESS]:
        yield f"{_are(count)} no copies that ingest made"
    if count := left_out[LeftOut.MOVED]:
        moved = ", ".join(f"{feed} into {table}" for feed, table in candidates.moved.items())
        yield (
            f"{_are(count)} of feeds that were merged into another table than their contracts name ({moved}): "
            "`dropmerge rebuild FEED` fills the new one"
        )
    if count := left_out[LeftOut.MERGED]:
        yield f"{_are(count)} merged already"
    if count := left_out[LeftOut.DEAD_LETTERED]:
        how = "waits as a dead letter" if count == 1 else "wait as dead letters"
        yield f"{count} {how}: replay, or --dead-letters to announce all the same"
    if count := left_out[LeftOut.DISCARDED]:
        yield f"{count} {'was' if count == 1 else 'were'} discarded: --discarded to announce all the same"


def _are(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'}"


def _confirmed(found: Iterable[list[Candidate]]) -> list[list[Candidate]]:
    """What the person has seen and agreed to, and nothing that comes while they think."""
    with progress().status("looking"):
        batches = list(found)
    if batches:
        loads = [one.load for batch in batches for one in batch]
        _list(loads, err=True)
        confirm(f"announce {pluralize(len(loads), 'object')}?")
    return batches


def _list(loads: Sequence[Load], err: bool = False) -> None:
    for line in shorten_list([escape_unprintable(f"{load.source}  {load.feed}") for load in loads]):
        typer.echo(line, err=err)
