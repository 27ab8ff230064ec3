"""`dropmerge explain`: what happened to a file, or why a row is as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.completion import complete_file
from dropmerge.cli.events import print_events
from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.explain_row import print_row
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Feeds, File, Json, Project, RowFeed, State
from dropmerge.cli.terminal import escape_unprintable, pluralize, wrap
from dropmerge.operations.times import ago, duration, moment

if TYPE_CHECKING:
    from dropmerge.operations.connection import Connection
    from dropmerge.operations.explained_file import ExplainedFile
    from dropmerge.operations.loads.history import LoadHistory
    from dropmerge.operations.status.failures import Stuck

_COLORS = {"merged": "green", "dead_lettered": "red", "unknown": "red", "superseded": "yellow", "ignored": "yellow"}
_MOST = 5


def explain(
    file: File = None,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="KEY=VALUE", help="Give every key column: explains the row of this key."),
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(help="More KEY=VALUE after --row.", hidden=True)] = None,
    within: Annotated[
        str | None,
        typer.Option(
            "--in", autocompletion=complete_file, metavar="FILE", help="With --row: look for the key in this file."
        ),
    ] = None,
    feed: RowFeed = None,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show what happened to a file, or to the file a row came from. Exit code 1 if nothing is known about it.

    A file is named by gs://bucket/object#generation, by its name or the end of it, by a load's id, a copy in the
    archive or a dead letter's id.
    """
    with report_errors():
        connection = connect(state, project, feeds)
        if row:
            pairs = [*row, *(word for word in [file, *(more or [])] if word)]
            # It brings Google's clients with it.
            from dropmerge.operations.row_story.explained import explain_row

            explained = explain_row(connection, feed, pairs, within)
            answer, is_known = explained.as_json(has_values=True), explained.is_known
            if not as_json:
                print_row(explained)
        elif file and not more and not within:
            # They bring Google's clients with them.
            from dropmerge.operations.explained_file import explain_file

            found = explain_file(connection, file)
            answer = found.as_json()
            is_known = answer["state"] != "unknown"
            if not as_json:
                _print_file(connection, found)
        else:
            usage_error("name one file, such as gs://bucket/object, or --row key=value")
    if as_json:
        typer.echo(json.dumps(answer, indent=2, default=str))
    if not is_known:
        raise typer.Exit(1)


def _print_file(connection: Connection, one: ExplainedFile) -> None:
    history = one.history
    _print_state(history)
    print_events("what happened", history.timeline, history.source.created if history.source.generation else None)
    for line in [*(_held_up(one.held_up) if one.held_up else ()), *_details(connection, history)]:
        typer.echo(wrap(escape_unprintable(line)))
    if one.steps:
        typer.echo("next:")
    for step in one.steps:
        why = f"# {step.why}" if step.command else step.why
        typer.echo(wrap(f"  {step.command}  {why}" if step.command else f"  {why}", 4))


def _print_state(history: LoadHistory) -> None:
    source = history.source
    typer.echo(escape_unprintable(source.uri))
    known = {
        "generation": source.generation or None,
        "feed": history.feed,
        "contract": history.contract,
        "load": history.load.load_id if history.load else None,
    }
    if any(known.values()):
        typer.echo(wrap(f"  {', '.join(f'{name} {value}' for name, value in known.items() if value)}"))
    state = history.state
    typer.secho(wrap(f"state: {state}{_since(history)}", 2), fg=_COLORS.get(state, "cyan"), bold=True)
    if reason := _reason(history):
        typer.echo(wrap(f"  {escape_unprintable(reason)}"))


def _since(history: LoadHistory) -> str:
    if history.merge:
        took = f", {duration(history.took)} after the upload" if history.took is not None else ""
        return f" at {moment(history.merge.merged_at)}{took}"
    if not history.source.generation:
        return ""
    last = history.events[-1].at if history.events else history.source.created
    return f" since {moment(last)}, {ago(last)}"


def _reason(history: LoadHistory) -> str:
    letter = history.dead_letter
    if letter:
        error = " ".join((letter.error or "").split())
        discarded = f" (discarded: {letter.discarded})" if letter.discarded is not None else ""
        return f"dead letter {letter.dead_letter}: {letter.reason}: {error}{discarded}"
    return history.why or history.state.sentence


def _held_up(held_up: Stuck) -> Iterator[str]:
    if held_up.attempt is not None and held_up.failed_at and held_up.next_try_at:
        error = " ".join((held_up.last_error or "").split())
        yield f"failed for now: attempt {held_up.attempt} at {moment(held_up.failed_at)}: {error}"
        due = held_up.next_try_at
        yield f"next try: due at {moment(due)}" + ("" if due > datetime.now(UTC) else ", any moment now")
    health = held_up.service_health
    yield f"waiting for {health.service}" if health.state == "OK" else f"held up: {health.sentence}"


def _details(connection: Connection, history: LoadHistory) -> Iterator[str]:
    if history.size is not None:
        yield f"size: {history.size:,} bytes"
    if history.rejected:
        reasons = ", ".join(f"{count:,} {why}" for why, count in history.rejected.items())
        yield f"rejected rows, by reason: {reasons}"
    if history.merged_rows:
        counts = ", ".join(f"{name}: {count:,}" for name, count in history.merged_rows.items())
        yield f"rows of the MERGE: {counts}"
    if history.merge and history.merge.merged_with:
        others = history.merge.merged_with
        more = f" and {len(others) - _MOST} more" if len(others) > _MOST else ""
        yield f"merged with {pluralize(len(others), 'other file')}: {', '.join(others[:_MOST])}{more}"
    if history.warning:
        yield f"warning: {history.warning}"
    for one in history.same_bytes:
        ended = f"merged at {moment(one.merged_at)}" if one.merged_at else "not merged"
        yield f"the same bytes: {one.source}, {ended}"
    if history.is_sent_again:
        from dropmerge.operations.loads.same_bytes import RULE

        yield f"note: {RULE}"
    for other in history.others[:_MOST]:
        yield f"other generation: {other.source.generation}, uploaded {moment(other.source.created)}, {other.last}"
    for job in history.jobs:
        error = f": {' '.join(job.error.split())}" if job.error else ""
        yield f"job: {connection.job_link(job.job_id)} {job.state}{error}"
