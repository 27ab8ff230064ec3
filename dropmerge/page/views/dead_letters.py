"""Groups of dead letters, then letters; or those that ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from deploy.topology import SERVICES
from dropmerge.operations.dead_letters.as_json import COLUMNS, letter_json
from dropmerge.operations.dead_letters.board import Line, newer_of
from dropmerge.operations.dead_letters.ends import WAITING
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.kept import waiting_letters
from dropmerge.operations.dead_letters.newer import with_newer
from dropmerge.operations.dead_letters.reading import read_ended
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.site import ENDED_WITHIN, Site
from dropmerge.page.view_model import ViewModel
from dropmerge.page.views.chosen_letters import NONE, chosen_letters
from services.shared.reasons import REASONS

_MOST = 50
_AGES = ("1h", "24h", "7d")
_JUDGED = 500
"""Of how many letters one query tells which have a newer file that is merged."""


def dead_letters(site: Site, arguments: Arguments) -> ViewModel:
    """Filters: reason, feed, service, name (a part of the object's), older; ended=1 for those that no longer wait.

    after and place: where the page before ends.
    """
    is_ended = arguments.text("ended", ("1",)) == "1"
    chosen = chosen_letters(site, arguments)
    words, wanted = chosen.words, chosen.wanted
    answer = site.ended_board(wanted) if is_ended else site.board(wanted)
    board = answer.value
    lines = board.lines
    after = arguments.moment("after")
    start = _start(lines, (after, arguments.text("place")), is_ended) if after else 0
    shown = lines[start : start + _MOST]
    judged = [] if is_ended else lines[:_JUDGED]
    newer = _newer(site, judged)
    if start + len(shown) > len(judged):
        newer = {**newer, **_newer(site, shown)}
    more = {**words, **({"ended": "1"} if is_ended else {})}
    next_page = None
    if start + _MOST < len(lines):
        at, place = shown[-1].place
        next_page = f"/dead-letters?{urlencode({**more, 'after': at.isoformat(), 'place': place})}"

    def every() -> Iterator[dict[str, Any]]:
        connection = site.connect()
        if is_ended:
            for kept in read_ended(connection, wanted, ENDED_WITHIN):
                yield letter_json(kept.letter, None, kept.end)
            return
        fitting = (kept.letter for kept in waiting_letters(connection) if wanted.wants(kept.letter))
        for one, generation in with_newer(connection, fitting):
            yield letter_json(one, generation, WAITING)

    return ViewModel(
        "Dead letters",
        "dead_letters.html",
        "" if chosen.options is None else command_line("dead-letters", "list", **chosen.options, ended=is_ended),
        answer.as_of,
        json=every,
        columns=COLUMNS,
        rows=every,
        values={
            "board": board,
            "groups": [(group, urlencode(chosen.of_kind(group.kind))) for group in board.groups],
            "judged": Counter(line.kind for line in judged),
            "replaced": Counter(line.kind for line in judged if line.letter.id in newer),
            "lines": shown,
            "of_all": None if is_ended or wanted.is_everything else site.board(Filter()).value.count,
            "newer": newer,
            "chosen": words,
            "is_ended": is_ended,
            "is_first": after is None,
            "next_page": next_page,
            # What others have made up is listed where it is chosen.
            "reasons": sorted({*REASONS, words["reason"]} - {""}),
            "feeds": sorted({*site.connect().feeds, words["feed"]} - {"", NONE}),
            "ages": [*_AGES, *({words["older"]} - {"", *_AGES})],
            "services": SERVICES,
            "no_feed": NONE,
        },
        trouble=answer.trouble,
    )


def _newer(site: Site, lines: Sequence[Line]) -> Mapping[str, int]:
    ids = tuple(line.letter.id for line in lines)
    return site.read(("newer", ids), lambda connection: newer_of(connection, lines)).value if ids else {}


def _start(lines: Sequence[Line], after: tuple[datetime, str], is_ended: bool) -> int:
    """Behind the last letter of the page before, whether that one is still there or not."""
    behind = (n for n, line in enumerate(lines) if (line.place < after if is_ended else line.place > after))
    return next(behind, len(lines))
