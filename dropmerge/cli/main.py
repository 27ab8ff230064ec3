"""The list of commands. A command's module is imported when it is chosen.

Help, completion and a mistyped command must answer at once, and must not load what only one command needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

HELP = (
    "Files dropped in a bucket become rows of a BigQuery table. Exit codes: 0 done, 1 not done or not so,"
    " 2 a mistake on the command line, 130 Ctrl-C."
)

_COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("local:up", "Start the local cloud, or what is missing of it."),
    "down": ("local:down", "Stop the local cloud; its state stays."),
    "env": ("local:env", "Print what points Google's clients at it."),
    "drop": ("drop:drop", "Put files in the landing bucket."),
    "wait": ("wait:wait", "Wait until nothing is in flight."),
    "status": ("status:status", "Show how each feed stands."),
    "explain": ("explain:explain", "Show the life of a file, or of a row."),
    "rejected": ("rejected:commands", "Show rows that failed their checks, send them in again."),
    "preview": ("preview:preview", "Say what a file in the bucket would do."),
    "backfill": ("backfill:backfill", "Announce files that are not merged."),
    "rebuild": ("rebuild:rebuild", "Make a main table anew from the archive."),
    "verify": ("verify:verify", "Compare a main table with its files."),
    "purge-tombstones": ("tombstones:purge_tombstones", "Remove old deletes from main tables."),
    "adopt": ("adopt:adopt", "Take over a table that was there before its feed."),
    "dead-letters": ("dead_letters:commands", "List, show, replay, discard dead letters."),
    "feeds": ("feeds:commands", "Check, show and test contracts, make a first one."),
}
"""By name: module and attribute below dropmerge.cli, and a line for the list."""


class _Deferred(TyperCommand):
    """Stands in the list of commands for one that is not imported yet."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self._target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The real command's."""
        return self._load().make_context(info_name, args, parent, **extra)

    def _load(self) -> Any:
        module, _, attribute = self._target.partition(":")
        found = getattr(import_module(f"dropmerge.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = self.name
            return group
        only = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        only.command(self.name)(found)
        return typer.main.get_command(only)


class _Group(TyperGroup):
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
