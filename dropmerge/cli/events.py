"""Events of the journal as lines for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from dropmerge.cli.terminal import escape_unprintable

if TYPE_CHECKING:
    from dropmerge.operations.loads.events import LoadEvent

_MAX_CHARACTERS = 200


def print_events(title: str, events: Sequence[LoadEvent]) -> None:
    """One line per event."""
    typer.echo(f"{title}:" if events else f"{title}: the journal has none")
    for event in events:
        by = {"by": event.who} if event.who else {}
        detail = ", ".join(f"{name} {_short(value)}" for name, value in {**event.detail, **by}.items())
        line = f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.event:13} {event.service:8} {detail}"
        typer.echo(escape_unprintable(line).rstrip())


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"
