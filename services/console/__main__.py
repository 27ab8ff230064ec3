"""The `dropmerge` command: a list of commands, each a function in a module of its own."""

import sys
from collections.abc import Callable

import structlog
import typer

from services.console import local_cloud
from services.console.backfill import backfill
from services.console.dead_letters import commands as dead_letters
from services.console.drop import drop
from services.console.explain.commands import explain
from services.console.feeds import commands as feeds
from services.console.rejected import rejected
from services.console.status import status
from services.console.tombstones import purge_tombstones
from services.console.wait import wait

COMMANDS: list[Callable[..., None]] = [
    local_cloud.up,
    local_cloud.down,
    local_cloud.env,
    drop,
    wait,
    status,
    explain,
    rejected,
    backfill,
    purge_tombstones,
]

app = typer.Typer(
    name="dropmerge",
    no_args_is_help=True,
    # Errors on one line each, for scripts and logs: with it they come in a box.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Files dropped in a bucket become rows of a BigQuery table. Exit codes: 0 done, 1 not done or not so,"
    " 2 a mistake on the command line, 130 Ctrl-C.",
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(dead_letters.commands, name="dead-letters")
app.add_typer(feeds.commands, name="feeds")


def main() -> None:
    """Run the command line."""
    # What a command prints is its answer, nothing else.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    app()


if __name__ == "__main__":
    main()
