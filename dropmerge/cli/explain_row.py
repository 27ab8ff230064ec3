"""`dropmerge explain --row`: the story of a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from dropmerge.cli.terminal import escape_unprintable, shorten_list

if TYPE_CHECKING:
    from dropmerge.operations.row_story.explained import ExplainedRow
    from dropmerge.operations.row_story.story import Piece


def print_row(one: ExplainedRow) -> None:
    """The row first, then what else is known of its key."""
    for line in _lines(one):
        typer.echo(escape_unprintable(line))


def _lines(one: ExplainedRow) -> list[str]:
    head = "also known of this key, newest first:" if one.found.row else "known of this key, newest first:"
    lines = [*_of_row(one), *_section(head, [piece for piece in one.story if piece.has_row])]
    lines += _section("may have this key:", [piece for piece in one.story if not piece.has_row and piece.is_open])
    lines += _section(
        "do not have this key:", [piece for piece in one.story if not piece.has_row and not piece.is_open]
    )
    if one.general:
        lines += ["in general:" if one.found.row else "so:", *(f"  {sentence.full}" for sentence in one.general)]
    return lines + _next(one)


def _section(head: str, pieces: Sequence[Piece]) -> list[str]:
    lines = [f"  {piece.sentence.full}" for piece in pieces]
    return [head, *shorten_list(lines)] if lines else []


def _of_row(one: ExplainedRow) -> list[str]:
    found, table = one.found, one.key.feed.table
    if found.row is None:
        return [f"{one.key.words}: {found.why}"]
    what = "deleted" if found.deleted else "this row"
    lines = [f"{one.key.words}: {what} in {table}" if found.deleted else f"{one.key.words}: {table} has {what}"]
    lines += [f"  {name}: {value}" for name, value in found.row.items() if value is not None]
    if one.origin:
        merge = one.origin.merge
        when = f", merged {merge.merged_at:%Y-%m-%d %H:%M:%S} UTC" if merge else ""
        load = f", load {one.origin.load.load_id}" if one.origin.load else ""
        lines.append(f"from {one.origin.source}{when}{load}")
    sent_again: Mapping[str, Any] = one.origin.as_json() if one.origin and one.origin.is_sent_again else {}
    return lines + [text for text in (found.why, sent_again.get("sent_again")) if text]


def _next(one: ExplainedRow) -> list[str]:
    lines = [f"  dropmerge explain '{one.origin.source}'"] if one.origin else []
    letters = dict.fromkeys(piece.dead_letter for piece in one.story if piece.dead_letter and piece.has_row)
    lines += [f"  dropmerge dead-letters show {letter}" for letter in letters]
    lines += [f"  {one.command}"] if one.command else []
    return ["next:", *lines] if lines else []
