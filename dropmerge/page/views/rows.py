"""The story of a key: its row in the main table, and what else has it. Values are hidden until somebody asks."""

from __future__ import annotations

from dropmerge.operations.row_story.explained import ExplainedRow, explain_row
from dropmerge.operations.row_story.story import Piece
from dropmerge.operations.texts import field_names
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel

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
    pairs = [f"{column}={text}" for column, text in typed.items()]
    found: ExplainedRow | None = None
    as_of, trouble = site.status().as_of, None
    if is_asked:
        answer = site.read(("row", name, *pairs), lambda connection: explain_row(connection, name, pairs))
        found, as_of, trouble = answer.value, answer.as_of, answer.trouble
    return ViewModel(
        "A row's story",
        "rows.html",
        command_line("explain", "--feed", name, "--row", *pairs) if is_asked else "dropmerge explain --row KEY=VALUE",
        as_of,
        json=lambda: found.as_json() if found else None,
        columns=field_names(Piece),
        rows=lambda: (piece.as_json() for piece in found.story) if found else (),
        values={
            "found": found,
            "feed": feed,
            "feeds": sorted(with_key),
            "typed": typed,
            "has_values": False,
        },
        trouble=trouble,
        every=0,
    )
