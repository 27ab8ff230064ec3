"""The story of a key: its row in the main table, and what else has it. Values are hidden until somebody asks."""

from __future__ import annotations

from dropmerge.operations.row_story.explained import ExplainedRow, explain_row
from dropmerge.page.asked import Asked
from dropmerge.page.shown import Shown
from dropmerge.page.site import Site
from dropmerge.page.words import command_line

KEY = "key."
"""How the words begin that are a key's."""


def rows(site: Site, asked: Asked) -> Shown:
    """`feed`, and each column of its key by its name with `key.` before it; without a key, a form that asks for it.

    The form sends the key in its body: addresses are in the logs of what is between.
    """
    feeds = site.connect().feeds
    with_key = {name: one for name, one in feeds.items() if one.key}
    name = asked.text("feed") or next(iter(with_key), "")
    feed = site.connect().feed(name) if name else None
    columns = list(feed.key) if feed else []
    typed = {column: asked.words.get(f"{KEY}{column}", "") for column in columns}
    is_asked = any(f"{KEY}{column}" in asked.words for column in columns)
    pairs = [f"{column}={text}" for column, text in typed.items()]
    found: ExplainedRow | None = None
    as_of, trouble = site.status().as_of, None
    if is_asked:
        answer = site.read(("row", name, *pairs), lambda connection: explain_row(connection, name, pairs))
        found, as_of, trouble = answer.value, answer.as_of, answer.trouble
    return Shown(
        "A row's story",
        "rows.html",
        command_line("explain", "--feed", name, "--row", *pairs) if is_asked else "dropmerge explain --row KEY=VALUE",
        as_of,
        json=lambda: found.as_json() if found else None,
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
