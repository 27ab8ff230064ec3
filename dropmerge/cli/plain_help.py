"""How `--help` looks: plain text for 80 columns, without Python's types, and no sentence cut short.

Typer alone writes `{FILE}...`, `<list[Path]>` and `[x>=1]`, cuts the summaries of commands by `...`, and groups
options in boxes only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

COMMON = "Common options"
"""The group of options that most commands have. It comes last and has --help."""


class PlainCommand(TyperCommand):
    """A command with plain help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What is written after the command's name."""
        return _usage(self, ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options by group."""
        _write_parameters(self, ctx, formatter)


class PlainGroup(TyperGroup):
    """A command with subcommands and plain help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What is written after the command's name."""
        return [*_usage(self, ctx), "[COMMAND]" if self.invoke_without_command else "COMMAND"]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write options by group, then the commands."""
        _write_parameters(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the first sentence of each command, however long."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=1000)) for name, one in self.commands.items()])


def make_plain(app: typer.Typer) -> typer.Typer:
    """Give the application and its commands plain help, whatever they say themselves."""
    # One that is not given is a placeholder of Typer's, no class.
    if not (isinstance(app.info.cls, type) and issubclass(app.info.cls, PlainGroup)):
        app.info.cls = PlainGroup
    for command in app.registered_commands:
        command.cls = PlainCommand
    return app


def _usage(command: Any, ctx: Any) -> list[str]:
    arguments = [one for one in command.get_params(ctx) if isinstance(one, TyperArgument) and not one.hidden]
    return ["[OPTIONS]", *map(_argument, arguments)]


def _argument(argument: TyperArgument) -> str:
    name = (argument.metavar or str(argument.name).upper()).removesuffix("…")
    if name.startswith("["):
        name = name[1:].removesuffix("]")
    name += "..." if argument.nargs == -1 else ""
    return name if argument.required else f"[{name}]"


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    arguments: list[tuple[str, str]] = []
    groups = defaultdict[str, list[tuple[str, str]]](list)
    for parameter in command.get_params(ctx):
        if isinstance(parameter, TyperArgument):
            if not parameter.hidden:
                arguments.append((_argument(parameter), parameter.help or ""))
        elif record := parameter.get_help_record(ctx):
            is_common = parameter.rich_help_panel == COMMON or parameter.name == "help"
            groups[COMMON if is_common else "Options"].append(
                (record[0].removesuffix("…"), _without_ranges(record[1]))
            )
    if len(groups[COMMON]) == 1:  # --help alone
        groups["Options"] += groups.pop(COMMON)
    for heading, records in (("Arguments", arguments), ("Options", groups["Options"]), (COMMON, groups[COMMON])):
        if records:
            with formatter.section(heading):
                formatter.write_dl(records)


def _without_ranges(text: str) -> str:
    text = re.sub(r"(; )?[0-9.<=]*x[<>]=?[0-9.]+(?=\])", "", text).removesuffix("  []")
    return re.sub(r"(default: [0-9]+)\.0(?=\])", r"\1", text)
