"""How `dropmerge status` looks: what needs somebody, a table that fits in 80 columns, and notes.

In a file or a pipe the table alone goes to stdout, the rest to stderr.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

import typer

from dropmerge.cli.terminal import escape_unprintable, is_interactive, pluralize, print_table
from dropmerge.operations.status.ages import age, duration
from dropmerge.operations.status.attention import Attention, failed
from dropmerge.operations.status.feeds import FeedStatus, FileStatus
from dropmerge.operations.status.read import Status
from dropmerge.operations.status.states import ServiceState

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_HEADINGS = ("feed", "state", "waiting", "merged today", "last file", "p95", "rejected rows", "dead letters")
_STATE, _LAST_FILE = 1, 4
_MOST = 8
"""Things that need somebody, on one screen."""
_MAX_FEED, _LEAST_FILE = {1: 16, 2: 24}, 12
"""The first by the blanks between columns."""
_ROOMY = 100
"""Columns of a terminal from which on there are two blanks between columns."""


def print_status(answer: Status, is_old: bool = False) -> None:
    """`is_old`: what is shown is of an earlier look."""
    is_shown = is_interactive(sys.stdout)
    if is_shown:
        _print_attention(answer, is_old)
    print_table(_table(answer, is_old))
    if not is_shown:
        _print_attention(answer, is_old)
    notes = _console()
    for line in _notes(answer):
        notes.print(_wrapped(line, notes), style="dim" if is_old else None, soft_wrap=True)


def print_trouble(trouble: str, answer: Status | None) -> None:
    """Why nothing newer is shown."""
    console = _console()
    console.print(trouble, style="red", soft_wrap=True)
    old = f"the figures below are old, of {answer.as_of:%H:%M:%S} UTC" if answer else "no figures yet"
    console.print(old, soft_wrap=True)


def print_problem(problem: Attention) -> None:
    """On one line, for a program that reads lines."""
    typer.echo(escape_unprintable(f"{problem.sentence}; next: {problem.command}"))


def _print_attention(answer: Status, is_old: bool) -> None:
    console = _console()
    shown = answer.attention[:_MOST]
    for one, after in zip_longest(shown, shown[1:]):
        console.print(_wrapped(one.sentence, console), style="dim" if is_old else "red", soft_wrap=True)
        if after is None or after.command != one.command:
            # Whole, so that it can be copied.
            console.print(f"  next: {escape_unprintable(one.command)}", soft_wrap=True)
    if len(answer.attention) > _MOST:
        console.print(f"… and {len(answer.attention) - _MOST} more: `dropmerge status --check` lists them all")


def _notes(answer: Status) -> Iterator[str]:
    for name, feed in answer.feeds.items():
        if feed.failing and not feed.late:
            yield f"{name}: {feed.failing.file.object}: {failed(feed.failing.failure, answer.as_of)}"
    waiting = [one for one in answer.services.values() if one.state == ServiceState.WAITING]
    yield from (one.sentence for one in waiting)
    if waiting:
        yield "to hurry it once the cause is gone: `dropmerge backfill` (docs/runbook.md, An outage of hours)"
    if answer.ignored.last_day:
        yield f"{pluralize(answer.ignored.last_day, 'file')} ignored in 24 h, e.g. {answer.ignored.example}"
    if answer.in_part:
        yield answer.in_part
    services = ", ".join(f"{name} {one.state}" for name, one in answer.services.items())
    yield (
        f"services: {services}; messages in flight: {answer.messages_in_flight}; "
        f"dead letters waiting: {answer.letters.count}"
    )
    yield f"as of {answer.as_of:%H:%M:%S} UTC"


def _table(answer: Status, is_old: bool) -> Table:
    from rich.table import Table
    from rich.text import Text

    rows = [_cells(name, feed, answer) for name, feed in answer.feeds.items()]
    width = _console().width
    gap = 2 if width >= _ROOMY else 1
    lines = Table(box=None, padding=(0, gap, 0, 0), style="dim" if is_old else "", header_style="bold")
    widths = [max(len(word) for word in [*heading.split(), *column]) for heading, column in _columns(rows)]
    if is_interactive(sys.stdout):
        widths[0] = min(widths[0], _MAX_FEED[gap])
        room = width - sum(widths) + widths[_LAST_FILE] - gap * len(widths)
        widths[_LAST_FILE] = min(widths[_LAST_FILE], max(_LEAST_FILE, room))
    for n, (heading, at_most) in enumerate(zip(_HEADINGS, widths, strict=True)):
        lines.add_column(heading, width=at_most, overflow="fold", justify="left" if n in (0, 1, 2, 4) else "right")
    for feed, row in zip(answer.feeds.values(), rows, strict=True):
        lines.add_row(
            *(
                Text(text, "" if is_old else feed.state.colour) if n == _STATE else _fit(n, text, widths[n])
                for n, text in enumerate(row)
            )
        )
    return lines


def _columns(rows: list[list[str]]) -> Iterator[tuple[str, list[str]]]:
    for n, heading in enumerate(_HEADINGS):
        yield heading, [row[n] for row in rows]


def _cells(name: str, feed: FeedStatus, answer: Status) -> list[str]:
    oldest = feed.oldest_waiting
    return [
        escape_unprintable(name),
        feed.state.value,
        f"{feed.in_flight} ({age(oldest.at, answer.as_of)})" if oldest else "0",
        str(feed.merged_today),
        _last(feed.last_file, answer) if feed.last_file else "",
        "" if feed.p95_seconds is None else duration(feed.p95_seconds),
        str(feed.rejected_rows),
        str(feed.dead_letters_waiting),
    ]


def _last(file: FileStatus, answer: Status) -> str:
    return f"{escape_unprintable(file.object.rpartition('/')[2])}, {age(file.at, answer.as_of)}"


def _fit(column: int, text: str, width: int) -> str:
    """A file's name is shortened in the middle and keeps its age; a feed's is folded."""
    if column != _LAST_FILE or len(text) <= width:
        return text
    name, _, ago = text.rpartition(", ")
    room = max(3, width - len(ago) - 3)
    return f"{name[: (room + 1) // 2]}…{name[len(name) - room // 2 :]}, {ago}"


def _wrapped(sentence: str, console: Console) -> str:
    """At a terminal between words where that can be, the lines after the first indented."""
    text = escape_unprintable(sentence)
    if not is_interactive(sys.stdout):
        return text
    return textwrap.fill(text, console.width, subsequent_indent="  ", break_on_hyphens=False)


def _console() -> Console:
    """Of the terminal; where stdout is none, what is not the table goes to stderr."""
    from rich.console import Console

    return Console(stderr=not is_interactive(sys.stdout), markup=False, highlight=False, emoji=False)
