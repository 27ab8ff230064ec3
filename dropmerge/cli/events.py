"""Events of the journal as a timeline for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from dropmerge.cli.terminal import escape_unprintable, pluralize, wrap
from dropmerge.operations.times import clock, duration

if TYPE_CHECKING:
    from dropmerge.operations.loads.events import LoadEvent

_MAX_CHARACTERS = 300
_INDENT = 2 + 10 + 2 + 10 + 2 + 14 + 2


def print_events(title: str, events: Sequence[LoadEvent], dropped: datetime | None = None) -> None:
    """One line per event, each with the time since the one before. `dropped`: when the file was, which comes first."""
    if not events and dropped is None:
        typer.echo(f"{title}: the journal has none")
        return
    typer.echo(f"{title}:")
    before: datetime | None = None
    for at, word, text in [*([(dropped, "dropped", "")] if dropped else []), *map(_line, events)]:
        if before is None or at.astimezone(UTC).date() != before.astimezone(UTC).date():
            typer.echo(f"  {at.astimezone(UTC):%Y-%m-%d} UTC")
        since = f"+{duration((at - before).total_seconds())}" if before else ""
        typer.echo(wrap(f"  {clock(at):10}  {since:10}  {word:14}  {text}".rstrip(), _INDENT))
        before = at


def _line(event: LoadEvent) -> tuple[datetime, str, str]:
    words = _WORDS.get(event.event, _all)(event.detail)
    by = [f"by {event.who}"] if event.who else []
    return event.at, event.event, escape_unprintable(", ".join([*words, *by]))


def _all(detail: Mapping[str, Any]) -> Iterator[str]:
    for name, value in detail.items():
        if name not in ("contract", "seconds") and value is not None:
            yield f"{name} {_short(value)}"


def _attempt(detail: Mapping[str, Any]) -> Iterator[str]:
    if detail.get("attempt", 1) > 1:
        yield f"attempt {detail['attempt']}"


def _contract(detail: Mapping[str, Any]) -> Iterator[str]:
    if detail.get("contract"):
        yield f"by contract {detail['contract']}"


def _checked(detail: Mapping[str, Any]) -> Iterator[str]:
    yield pluralize(detail.get("rows", 0), "row")
    for name, word in (
        ("rejected_rows", "rejected"),
        ("deletes", "deletes"),
        ("lost_in_file", "lost to the same key"),
    ):
        if detail.get(name):
            yield f"{detail[name]:,} {word}"


def _failed(detail: Mapping[str, Any]) -> Iterator[str]:
    yield f"attempt {detail.get('attempt', 1)}"
    yield _short(detail.get("error", ""))


def _merged(detail: Mapping[str, Any]) -> Iterator[str]:
    others = len(detail.get("loads", [])) - 1
    if others > 0:
        yield f"with {pluralize(others, 'other file')}"


def _dead_lettered(detail: Mapping[str, Any]) -> Iterator[str]:
    yield f"dead letter {detail.get('dead_letter_id')}: {detail.get('reason')}"


def _given_up(detail: Mapping[str, Any]) -> Iterator[str]:
    yield f"dead letter {detail.get('dead_letter_id')}"
    if detail.get("why"):
        yield json.dumps(detail["why"], ensure_ascii=False)


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "arrived": _attempt,
    "pinned": _contract,
    "loaded": lambda _: iter(()),
    "checked": _checked,
    "staged": lambda _: iter(()),
    "failed": _failed,
    "merged": _merged,
    "dead_lettered": _dead_lettered,
    "discarded": _given_up,
    "undone": _given_up,
    "replayed": _given_up,
    "superseded": lambda _: iter(()),
}


def _short(value: object) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS].rpartition(' ')[0]} …"
