"""The person at the terminal: who it is, a question to them, and text that is safe to show them."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDE = 200


def who() -> str:
    """For the journal: the account that runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def is_there() -> bool:
    return sys.stdin.isatty()


def ask(question: str, yes: bool) -> None:
    """A question where a person can answer it; a no ends the command with exit code 1, nothing changed."""
    if not yes and is_there():
        typer.confirm(question, abort=True, err=True)


def show(table: Table) -> None:
    """Names as they are: anyone may have put [brackets] in one. In a file or a pipe, lines are long."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _WIDE
    Console(markup=False, highlight=False, emoji=False, width=width).print(table)


def clear() -> None:
    """The terminal, where there is one."""
    from rich.console import Console

    Console().clear()


def table(*headings: str) -> Table:
    """What does not fit goes on the next line: a name cut short is of no use."""
    from rich.table import Column, Table

    return Table(*(Column(heading, overflow="fold") for heading in headings))


def counted(number: int, what: str) -> str:
    """1 letter, 2 letters."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def progress() -> Console:
    """For what is shown while a command works, and never in its output."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def visible(text: str) -> str:
    """On one line: a name or an error may hold line ends, and codes that would move the cursor."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
