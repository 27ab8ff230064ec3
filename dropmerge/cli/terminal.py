"""The person at the terminal: who it is, a question to them, and text that is safe to show them."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import typer

from dropmerge.cli.exit_codes import abort, usage_error
from dropmerge.operations.texts import csv_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


_LEAST_WIDTH = 10
"""Of a column, at a terminal: in narrower ones no value is readable."""


def require_terminal(what: str) -> None:
    """Misuse of the command line unless a question can be both seen and answered: it goes to stderr."""
    if not (is_interactive(sys.stdin) and is_interactive(sys.stderr)):
        usage_error(
            f"{what} asks for confirmation, and there is no terminal to ask at: add --yes to skip the question"
        )


def confirm(question: str, agreed: str = "y") -> None:
    """Go on only if the answer is `agreed`. Anything else ends the command with exit code 1, nothing changed.

    `y` may be typed as `yes`, in capitals too. The end of input (Ctrl-D) is a no.
    """
    hint = "y/N" if agreed == "y" else f"type {agreed} to go on"
    typer.echo(f"{question} [{hint}]: ", nl=False, err=True)
    try:
        _wait_for_answer()
        # Not input(), which would write to a redirected stdout.
        answer = sys.stdin.buffer.readline().decode(errors="replace")
    except OSError:  # the terminal has been closed
        answer = ""
    except KeyboardInterrupt:
        typer.echo(err=True)
        raise
    if not answer.endswith("\n"):
        typer.echo(err=True)
    if answer.strip().lower() not in {agreed, "yes" if agreed == "y" else agreed}:
        abort("nothing was changed")


def _wait_for_answer() -> None:
    """Until there is something to read, or a signal comes: `readline` alone would sleep on after a Ctrl-C that comes
    right before it begins to wait (https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd)."""
    heard, signalled = socket.socketpair()
    with heard, signalled:
        signalled.setblocking(False)
        before = signal.set_wakeup_fd(signalled.fileno())
        try:
            select.select([sys.stdin, heard], [], [])
        finally:
            signal.set_wakeup_fd(before)


def print_table(table: Table, err: bool = False) -> None:
    """At a terminal a table; in a file or a pipe tab-separated lines, the first with the headings.

    Names are printed as they are, though tabs and line ends are escaped: anyone may have put [brackets] in one.
    """
    if not is_interactive(sys.stderr if err else sys.stdout):
        cells = [[column.header, *column.cells] for column in table.columns]
        for row in zip(*cells, strict=True):
            typer.echo("\t".join(escape_unprintable(str(cell)) for cell in row), err=err)
        return
    from rich.console import Console

    Console(stderr=err, markup=False, highlight=False, emoji=False).print(table)


def print_records(table: Table) -> None:
    """As `print_table`; where a terminal is too narrow for the columns, each row as lines of `heading: value`."""
    if not is_interactive(sys.stdout) or shutil.get_terminal_size().columns >= _LEAST_WIDTH * len(table.columns):
        print_table(table)
        return
    for row in zip(*(column.cells for column in table.columns), strict=True):
        lines = (f"{column.header}: {cell}" for column, cell in zip(table.columns, row, strict=True))
        typer.echo("\n".join(map(escape_unprintable, lines)) + "\n")


def clear() -> None:
    """The terminal, where there is one."""
    from rich.console import Console

    Console().clear()


def table(*headings: str) -> Table:
    """What does not fit goes on the next line: a name cut short is of no use. Lines around the cells would leave less
    room for what is in them, which is read, and typed again, at 80 columns."""
    from rich.table import Column, Table

    return Table(*(Column(heading, overflow="fold") for heading in headings), box=None, pad_edge=False)


def print_array(items: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array, an item at a time."""
    before = "["
    for item in items:
        typer.echo(f"{before}\n{textwrap.indent(json.dumps(item, indent=2), '  ')}", nl=False)
        before = ","
    typer.echo("[]" if before == "[" else "\n]")


def print_csv(columns: Sequence[str], items: Iterable[Mapping[str, Any]]) -> None:
    """As the page's .csv."""
    sys.stdout.writelines(csv_lines(columns, items))


def shorten_list(lines: Sequence[str], most: int = 20) -> list[str]:
    """No more than fit on a screen, and how many are left out."""
    left = len(lines) - most
    return [*lines[:most], f"… and {left} more"] if left > 0 else list(lines)


def pluralize(number: int, what: str, many: str | None = None) -> str:
    """1 file, 2 files, 1,000 files; `many` where the plural is not formed by an s."""
    return f"{number:,} {what if number == 1 else many or f'{what}s'}"


def progress() -> Console:
    """For what is shown while a command works, and never in its output."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False)


@contextmanager
def files_merged() -> Iterator[Callable[[str, int], None]]:
    """Shows how far a table is that is made of files; yields what takes each step's name, and of how many files."""
    counts = Counter[str]()
    with progress().status("looking") as line:

        def tell(step: str, count: int) -> None:
            counts[step] += count
            line.update(f"{step}; {counts['merged']} of {pluralize(counts['found'], 'file')} merged")

        yield tell


@contextmanager
def ignore_closed_stream(stream: TextIO) -> Iterator[None]:
    """Writing progress to a stream that may have been closed, terminal or pipe: no reason to stop the work."""
    try:
        yield
    except (OSError, SystemExit):  # rich ends the process where a pipe is closed
        # What is still in the stream's buffer goes there, at the process's end at the latest.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def escape_unprintable(text: str) -> str:
    """On one line: a name or an error may hold line ends, and codes that would move the cursor."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def wrap(text: str, indent: int = 2) -> str:
    """On as many lines as the terminal's width asks for, broken between words; as it is in a file or a pipe."""
    if not (is_interactive(sys.stdout) or os.environ.get("COLUMNS")):
        return text
    width = shutil.get_terminal_size().columns
    return textwrap.fill(
        text,
        width,
        subsequent_indent=" " * min(indent, width // 2),
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )


def is_interactive(stream: TextIO | None) -> bool:
    """None where the process was started with the stream closed."""
    return stream is not None and stream.isatty()
