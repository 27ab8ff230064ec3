"""The story of a key: its row in the main table, and what else has it. Values are hidden until somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dropmerge.operations.errors import UsageError
from dropmerge.operations.row_story.explained import ExplainedRow, explain_row
from dropmerge.operations.row_story.story import Piece
from dropmerge.operations.texts import field_names
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.forms import READ_ONLY
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel
from services.shared.contract.feed import Feed

KEY = "key."
"""How the words begin that are a key's."""


def rows(site: Site, arguments: Arguments) -> ViewModel:
    """`feed`, and each column of its key by its name with `key.` before it; without a key, a form that asks for it.

    The form sends the key in its body: addresses are in the logs of what is between.
    """
    feeds = site.connect().feeds
    with_key = {name: one for name, one in feeds.items() if one.key}
    name = arguments.text("feed") or next(iter(with_key), "")
    feed = site.connect().feed(name) if name else None
    columns = list(feed.key) if feed else []
    typed = {column: arguments.words.get(f"{KEY}{column}", "") for column in columns}
    is_asked = any(f"{KEY}{column}" in arguments.words for column in columns)
    refused = _lacks(feed, typed) if feed and is_asked else None
    is_asked = is_asked and not refused
    pairs = [f"{column}={text}" for column, text in typed.items()]
    found: ExplainedRow | None = None
    as_of, trouble = site.status().as_of, None
    if is_asked:
        answer = site.read(("row", name, *pairs), lambda connection: explain_row(connection, name, pairs))
        found, as_of, trouble = answer.value, answer.as_of, answer.trouble
    has_values = arguments.has_values

    def told() -> ExplainedRow | None:
        if refused:
            raise UsageError(refused)  # a program has no form to see it at
        return found

    def json() -> dict[str, Any] | None:
        return one.as_json(has_values) if (one := told()) else None

    def lines() -> Iterable[Mapping[str, Any]]:
        return [piece.as_json(has_values) for piece in one.story] if (one := told()) else ()

    return ViewModel(
        "A row's story",
        "rows.html",
        command_line("explain", "--feed", name, "--row", *pairs) if is_asked else "dropmerge explain --row KEY=VALUE",
        as_of,
        json=json,
        columns=field_names(Piece),
        rows=lines,
        values={
            "found": found,
            "feed": feed,
            "feeds": sorted(with_key),
            "typed": typed,
            "fields": {"feed": name, **{f"{KEY}{column}": text for column, text in typed.items()}},
            "row": found.row(has_values) if found else None,
            "refused": refused,
            "has_values": has_values,
            "read_only": READ_ONLY,
        },
        trouble=trouble,
        status=400 if refused else 200,
        every=0,
    )


def _lacks(feed: Feed, typed: Mapping[str, str]) -> str | None:
    """What else to type. An empty field is NULL, which no key has: a part of a key is empty only where a column's
    default is."""
    may_be_empty = {column.name for column in feed.columns if column.default == ""}
    lacking = [name for name, text in typed.items() if not text and name not in may_be_empty]
    if not lacking:
        return None
    too = "" if len(lacking) == len(typed) else " too"
    return f"type {' and '.join(lacking)}{too}: the key of {feed.name} is {', '.join(feed.key)}"
