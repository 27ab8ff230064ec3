"""Times, numbers and names as the pages write them: filters of the templates."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from dropmerge.operations.times import ago, duration, moment
from dropmerge.page.marks import Mark, mark

_DASH = "\N{EN DASH}"
_LONGEST_NAME = 160
_LONGEST_PROSE = 4000
_TYPED = re.compile(r"`([^`\n]+)`")


def register(app: Flask) -> None:
    """Make them known to the app's templates."""
    app.jinja_env.filters.update(
        when=when,
        ago=since,
        count=count,
        seconds=seconds,
        step=step,
        size=size,
        name=name,
        prose=prose,
        pretty=pretty,
        visible=visible,
        plural=plural,
    )
    app.jinja_env.globals["state_mark"] = state_mark


def when(at: datetime | str | None) -> Markup:
    """The exact time, in UTC; the script adds the reader's own to the tooltip."""
    found = _time(at)
    if found is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(found.isoformat(), moment(found))


def since(at: datetime | str | None) -> Markup:
    """How long ago, the exact time in the tooltip."""
    found = _time(at)
    if found is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(found.isoformat(), moment(found), ago(found))


def count(number: int | None) -> str:
    """With thousands set apart; nothing where it is not known."""
    return "" if number is None else f"{number:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """1 file, 2 files."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def seconds(number: float | None) -> str:
    """In words; a dash where it is not known."""
    return _DASH if number is None else duration(number)


def step(number: float) -> str:
    """Of a part of a file's way, which is short."""
    return f"{number:.2f} s" if number < 10 else duration(number)


def size(number: int | None) -> str:
    """Of bytes, in the unit that leaves two or three figures."""
    if number is None:
        return _DASH
    value, units = float(number), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1000 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "B" or value >= 100 else f"{value:.1f} {units[0]}"


def name(text: str | None) -> Markup:
    """What others have named: each character that cannot be seen, or that turns the line around, as its escape; apart
    from the text around it, whichever way it is written; a very long one cut, with the whole of it in the tooltip."""
    shown = visible(text or "")
    if len(shown) <= _LONGEST_NAME:
        return Markup("<bdi>{}</bdi>").format(shown)
    half = _LONGEST_NAME // 2
    cut = f"{shown[:half]}…{shown[-half:]}"
    return Markup('<bdi title="{}">{}</bdi>').format(shown[:2000], cut)


def prose(text: str | None) -> Markup:
    """A sentence, which may quote what others have named; only one that is far too long is cut. What it has between
    backticks is to be typed, or was."""
    shown = visible(text or "", keep="\n")
    cut = shown if len(shown) <= _LONGEST_PROSE else f"{shown[:_LONGEST_PROSE]}…"
    parts = (
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(_TYPED.split(cut))
    )
    return Markup("<bdi>{}</bdi>").format(Markup("").join(parts))


def pretty(value: Any) -> str:
    """JSON on lines of its own."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False, default=str), keep="\n")


def state_mark(state: str) -> Markup:
    """A shape, and the word beside it."""
    found: Mark = mark(str(state))
    return Markup('<span class="state {}"><span aria-hidden="true">{}</span> {}</span>').format(
        found.colour, found.shape, found.word
    )


def visible(text: str, keep: str = "") -> str:
    """What cannot be seen, or turns the line around, as escapes, but for the characters to keep."""
    return "".join(one if one.isprintable() or one in keep else one.encode("unicode_escape").decode() for one in text)


def _time(at: datetime | str | None) -> datetime | None:
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found.astimezone(UTC) if found else None
