"""The list of commands. A command's module is imported when it is chosen.

Help, completion and a mistyped command must answer at once, and must not load what only one command needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer

from dropmerge.cli.plain_help import PlainCommand, PlainGroup, make_plain

HELP = (
    "Files that are dropped in a bucket become rows of a BigQuery table. Exit codes: 0 done, 1 failed, or the answer "
    "is no, 2 a mistake on the command line, 130 Ctrl-C."
)

_COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("local:up", "Start the local cloud, or whichever parts are not running."),
    "down": ("local:down", "Stop the local cloud and keep its state."),
    "env": ("local:env", "Print the variables for Google's clients."),
    "drop": ("drop:drop", "Upload files to the landing bucket."),
    "wait": ("wait:wait", "Wait until nothing is in flight."),
    "status": ("status:status", "Show each feed: what is waiting, and totals."),
    "explain": ("explain:explain", "Show what happened to a file, or to a row."),
    "history": ("history:history", "Show what became of each file, and throughput."),
    "audit": ("audit:audit", "Show who changed what, when and why."),
    "rows": ("rows:rows", "Show some rows of a main table."),
    "console": ("console:console", "Show it all as a page in the browser."),
    "doctor": ("doctor:doctor", "Check the whole pipeline, and say what to fix."),
    "rejected": ("rejected:commands", "Show rows that failed a check, and submit them again."),
    "preview": ("preview:preview", "Show what a file in the bucket would do."),
    "backfill": ("backfill:backfill", "Re-announce files that are not merged."),
    "rebuild": ("rebuild:rebuild", "Rebuild a main table from the archive."),
    "verify": ("verify:verify", "Compare a main table with its files."),
    "purge-tombstones": ("tombstones:purge_tombstones", "Remove old deletes from main tables."),
    "adopt": ("adopt:adopt", "Take over a table that existed before its feed."),
    "dead-letters": ("dead_letters:commands", "List, show, replay, discard and undo dead letters."),
    "feeds": ("feeds:commands", "Draft, check, test and show contracts."),
}
"""By name: module and attribute below dropmerge.cli, and a line for the list."""


class _Deferred(PlainCommand):
    """Stands in the list of commands for one that is not imported yet."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self._target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The real command's."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> Any:
        """The real command."""
        module, _, attribute = self._target.partition(":")
        found = getattr(import_module(f"dropmerge.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(make_plain(found))
            group.name = self.name
            return group
        only = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        only.command(self.name, cls=PlainCommand)(found)
        return typer.main.get_command(only)


class _Group(PlainGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (target, summary) in _COMMANDS.items():
            self.add_command(_Deferred(name, target, summary))


app = typer.Typer(
    name="dropmerge",
    cls=_Group,
    no_args_is_help=True,
    # Errors on one line each, for scripts and logs: with it they come in a box.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("dropmerge"))
        raise typer.Exit


@app.callback(help=HELP)
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of `dropmerge` itself."""
