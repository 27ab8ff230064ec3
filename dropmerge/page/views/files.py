"""What became of each file, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from dropmerge.operations.loads.states import State
from dropmerge.operations.past_loads import COLUMNS, Place, Wanted, every_load, page_of_loads
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel

AGES = ("1h", "24h", "7d", "45d")
_MOST = 50


def files(site: Site, arguments: Arguments) -> ViewModel:
    """Filters: feed, state, since, name (a part of it); after and place: where the page before ends."""
    feed, state, name = arguments.text("feed"), arguments.text("state", list(State)), arguments.text("name")
    age_word = arguments.text("since") or "24h"
    age = arguments.age("24h")
    after_time = arguments.moment("after")
    after = Place(after_time, arguments.text("place")) if after_time else None
    if feed:
        site.connect().feed(feed)

    def wanted() -> Wanted:
        return Wanted(datetime.now(UTC) - age, feed, state)

    question = ("files", feed, state, name, age, after)
    answer = site.read(question, lambda connection: page_of_loads(connection, wanted(), name, after, _MOST))
    page = answer.value
    chosen = {"feed": feed, "state": state, "name": name, "since": age_word}
    older = (
        f"/files?{urlencode({**chosen, 'after': page.next.at.isoformat(), 'place': page.next.place})}"
        if page.next
        else None
    )

    def every() -> Iterator[dict[str, Any]]:
        return (dict(one) for one in every_load(site.connect(), wanted()) if _fits(one, name))

    return ViewModel(
        "Files",
        "files.html",
        # Which knows no names.
        "" if name else command_line("history", since=age_word, feed=feed, in_state=state),
        answer.as_of,
        json=every,
        columns=COLUMNS,
        rows=every,
        values={
            "page": page,
            "chosen": chosen,
            "older": older,
            "is_first": after is None,
            "feeds": sorted(site.connect().feeds),
            "states": [one.value for one in State],
            "ages": AGES if age_word in AGES else (*AGES, age_word),
        },
        trouble=answer.trouble,
    )


def _fits(one: Any, name: str) -> bool:
    return name.lower() in (one["file_name"] or "").lower()
