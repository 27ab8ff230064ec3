"""`dropmerge audit`: who did what, when and why."""

from __future__ import annotations

import json
import sys

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import report_errors, usage_error
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, Csv, Feeds, Json, Project, Since, State
from dropmerge.cli.terminal import escape_unprintable, is_interactive, print_csv, print_table, table
from dropmerge.cli.times import as_of
from dropmerge.operations.audit import COLUMNS, Operation, read_audit
from dropmerge.operations.times import moment


def audit(
    since: Since = "30d",  # type: ignore[assignment]  # parsed like what is typed
    as_csv: Csv = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Show who did what, when and why: one line per run of a command that changed something, newest last.

    "Who" is the account of the credentials. Earlier releases did not record runs: there, each event has its own line.

    Example: dropmerge audit --since 90d --csv
    """
    if as_csv and as_json:
        usage_error("--csv and --json exclude each other")
    with report_errors():
        found = read_audit(connect(state, project, feeds), since)
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in found], indent=2))
    elif as_csv:
        print_csv(COLUMNS, ({**one.as_json(), "events": one.what} for one in found))
    else:
        lines = table("time", "who", "what", "feed", "why")
        for one in found:
            lines.add_row(*map(escape_unprintable, (moment(one.happened_at), one.who or "", one.what, *_about(one))))
        if found or not is_interactive(sys.stdout):
            print_table(lines)
        if not found:
            typer.echo(f"no command has changed anything since {moment(since)}", err=True)
        as_of()


def _about(one: Operation) -> tuple[str, str]:
    return one.feeds or "", one.why or one.reasons or ""
