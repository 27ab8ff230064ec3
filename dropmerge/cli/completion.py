"""What the shell completes that only the pipeline knows. It never fails, says nothing, and gives up soon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from dropmerge.operations.connection import Connection

_T = TypeVar("_T")
_SECONDS = 3.0
_RECENT = timedelta(days=7)


def complete_file(context: typer.Context, incomplete: str) -> list[str]:
    """Names of files of the last week, in the way that was begun: by the last part, or from the first."""
    return _asked(context, lambda connection: _files(connection, incomplete))


def complete_letter(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids of dead letters that are waiting, each with its reason and file."""
    return _asked(context, lambda connection: _letters(connection, "waiting", incomplete))


def complete_discarded(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids of dead letters that are no longer waiting."""
    return _asked(context, lambda connection: _letters(connection, "ended", incomplete))


def _letters(connection: Connection, which: str, incomplete: str) -> list[tuple[str, str]]:
    from dropmerge.operations.dead_letters.kept import kept_letters

    letters = [one.letter for one in kept_letters(connection, which, age=_RECENT)]
    return [
        (one.id, f"{one.reason} {(one.object or '').rpartition('/')[2]}".strip())
        for one in letters
        if one.id.startswith(incomplete)
    ]


def _files(connection: Connection, incomplete: str) -> list[str]:
    uri = f"gs://{connection.landing}/"
    is_uri = incomplete.startswith("gs://")
    if is_uri and not incomplete.startswith(uri):
        return [uri] if uri.startswith(incomplete) else []
    beginning = incomplete.removeprefix(uri) if is_uri else incomplete
    parameters = {"beginning": ("STRING", beginning), "since": ("TIMESTAMP", datetime.now(UTC) - _RECENT)}
    names = [str(row["object"]) for row in connection.query("recent_files.sql", parameters)]
    if is_uri:
        return [uri + name for name in names if name.startswith(beginning)]
    last = [name.rpartition("/")[2] for name in names]
    return sorted({name for name in ([*names, *last] if "/" in incomplete else last) if name.startswith(incomplete)})


def _asked(context: typer.Context, ask: Callable[[Connection], list[_T]]) -> list[_T]:
    from dropmerge.cli.command import connect

    given = context.params
    try:
        return ask(connect(given["state"], given["project"], given["feeds"], _SECONDS, say=lambda _: None))
    except Exception:
        return []
