"""Groups of dead letters, then letters; or those that ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from deploy.topology import SERVICES
from dropmerge.operations.dead_letters.as_json import COLUMNS, letter_json
from dropmerge.operations.dead_letters.board import Line, newer_of, read_ended_board
from dropmerge.operations.dead_letters.ends import WAITING
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.kept import waiting_letters
from dropmerge.operations.dead_letters.newer import with_newer
from dropmerge.operations.dead_letters.reading import read_ended
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel
from services.shared.reasons import REASONS

_MOST = 50
_ENDED_WITHIN = timedelta(days=31)
NO_FEED = "-"
"""Stands for letters that name no feed."""


def dead_letters(site: Site, arguments: Arguments) -> ViewModel:
    """Filters: reason, feed, service, name (a part of the object's), older; ended=1 for those that no longer wait.

    after and place: where the page before ends.
    """
    is_ended = arguments.text("ended", ("1",)) == "1"
    chosen = {name: arguments.text(name) for name in ("reason", "feed", "service", "name", "older")}
    wanted, name, feed = _filter(arguments), chosen["name"].lower(), chosen["feed"]

    if is_ended:
        question = ("ended", wanted)
        answer = site.read(question, lambda connection: read_ended_board(connection, wanted, _ENDED_WITHIN))
    else:
        answer = site.board(wanted)
    board = answer.value
    before = datetime.now(UTC) - arguments.age("1m", "older") if chosen["older"] else None
    lines = [line for line in board.lines if _fits(line, name, feed, before)]
    after = arguments.moment("after")
    start = _start(lines, (after, arguments.text("place")), is_ended) if after else 0
    shown = lines[start : start + _MOST]
    ids = tuple(line.letter.id for line in shown)
    newer = site.read(("newer", ids), lambda connection: newer_of(connection, shown)).value if shown else {}
    more = {**chosen, **({"ended": "1"} if is_ended else {})}
    next_page = None
    if start + _MOST < len(lines):
        at, place = shown[-1].place
        next_page = f"/dead-letters?{urlencode({**more, 'after': at.isoformat(), 'place': place})}"

    def every() -> Iterator[dict[str, Any]]:
        connection = site.connect()
        if is_ended:
            for kept in read_ended(connection, wanted, _ENDED_WITHIN):
                if _fits(Line(kept.letter), name, feed, before):
                    yield letter_json(kept.letter, None, kept.end)
            return
        fitting = (
            kept.letter
            for kept in waiting_letters(connection)
            if wanted.wants(kept.letter) and _fits(Line(kept.letter), name, feed, before)
        )
        for one, generation in with_newer(connection, fitting):
            yield letter_json(one, generation, WAITING)

    return ViewModel(
        "Dead letters",
        "dead_letters.html",
        command_line(
            "dead-letters",
            "list",
            reason=chosen["reason"],
            feed="" if feed == NO_FEED else feed,
            service=chosen["service"],
            older_than=chosen["older"],
            ended=is_ended,
        ),
        answer.as_of,
        json=every,
        columns=COLUMNS,
        rows=every,
        values={
            "board": board,
            "groups": [group for group in board.groups if _is_of(group.kind.feed, feed)],
            "lines": shown,
            "count": len(lines),
            "newer": newer,
            "chosen": chosen,
            "is_ended": is_ended,
            "is_first": after is None,
            "next_page": next_page,
            "reasons": sorted(REASONS),
            "feeds": sorted(site.connect().feeds),
            "services": SERVICES,
            "no_feed": NO_FEED,
        },
        trouble=answer.trouble,
    )


def _filter(arguments: Arguments) -> Filter:
    service, feed = arguments.text("service", SERVICES), arguments.text("feed")
    return Filter(
        (service,) if service else SERVICES,
        arguments.text("reason") or None,
        feed if feed and feed != NO_FEED else None,
    )


def _fits(line: Line, name: str, feed: str, before: datetime | None) -> bool:
    letter = line.letter
    return (
        name in (letter.object or "").lower()
        and _is_of(letter.feed or "", feed)
        and (before is None or letter.at < before)
    )


def _is_of(found: str, feed: str) -> bool:
    return not feed or found == ("" if feed == NO_FEED else feed)


def _start(lines: Sequence[Line], after: tuple[datetime, str], is_ended: bool) -> int:
    """Behind the last letter of the page before, whether that one is still there or not."""
    behind = (n for n, line in enumerate(lines) if (line.place < after if is_ended else line.place > after))
    return next(behind, len(lines))
