"""The question before dead letters are replayed, discarded or taken back: how many, which, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from deploy.topology import SERVICES
from dropmerge.operations.actions.record import MOST_LETTERS, Action, Kind, find_action
from dropmerge.operations.dead_letters.board import Line, newer_of
from dropmerge.operations.dead_letters.filters import MAX_REPLAYS, Filter
from dropmerge.operations.dead_letters.kept import kept_letters
from dropmerge.operations.dead_letters.reading import check_known
from dropmerge.operations.dead_letters.replay import takes_number
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.dead_letters.undo import is_undoable
from dropmerge.operations.errors import UsageError
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.forms import READ_ONLY, new_key
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel
from dropmerge.page.views.dead_letters import NO_FEED

_SAMPLE = 10


@dataclass(frozen=True)
class Question:
    kind: Kind
    lines: Sequence[Line]
    """The letters that are meant, the oldest first."""
    left_out: int
    """Of the filter, that are more than one action takes."""

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def over_limit(self) -> int:
        """Replayed too often."""
        return sum(line.letter.replay_count >= MAX_REPLAYS for line in self.lines)


def act(site: Site, arguments: Arguments) -> ViewModel:
    """`kind`: replay, discard, undo. Which letters: `id` (once for each), `operation`, or the filters of the list.

    `refused`: why the form was not taken.
    """
    kind = Kind(arguments.text("kind", list(Kind)) or Kind.REPLAY)
    question = _of_ended(site, arguments) if kind == Kind.UNDO else _of_waiting(site, arguments, kind)
    summary = Summary()
    summary.add(line.letter for line in question.lines)
    deployed = site.status().value.contracts
    sample = question.lines[:_SAMPLE]
    newer = {} if kind == Kind.UNDO else newer_of(site.connect(), question.lines[:500])
    ids = [line.letter.id for line in question.lines]
    return ViewModel(
        f"{kind.value.capitalize()} {question.count:,} dead letter{'' if question.count == 1 else 's'}",
        "act.html",
        _command(kind, arguments, ids),
        site.status().as_of,
        json=lambda: {"kind": kind.value, "ids": ids},
        columns=("id",),
        rows=lambda: ({"id": one} for one in ids),
        values={
            "question": question,
            "sample": sample,
            "ids": ",".join(ids),
            "warnings": list(deployed.unchanged(summary.contracts)) if kind == Kind.REPLAY else [],
            "newer": newer,
            "key": new_key(),
            "read_only": READ_ONLY,
            "is_typed": kind == Kind.DISCARD and takes_number(question.count),
            "max_replays": MAX_REPLAYS,
            "refused": arguments.words.get("refused", ""),
            "typed_why": arguments.words.get("why", ""),
            "most": MOST_LETTERS,
        },
        every=0,
    )


def read_form(form: MultiDict[str, str], who: str) -> Action:
    """What was asked for. Raises UsageError."""
    kind = form.get("kind", "")
    if kind not in list(Kind):
        raise UsageError("kind is replay, discard or undo")
    ids = tuple(dict.fromkeys(one for one in form.get("ids", "").split(",") if one))
    if kind == Kind.DISCARD and takes_number(len(ids)) and form.get("typed", "").replace(",", "") != str(len(ids)):
        raise UsageError(f"to discard so many takes typing how many they are: {len(ids)}")
    return Action(
        form.get("key", ""),
        Kind(kind),
        ids,
        who,
        form.get("why", "").strip()[:500],
        canary=1 if form.get("canary") and len(ids) > 1 else None,
        rate=_rate(form.get("rate", "")),
        force=bool(form.get("force")),
    )


def _rate(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 10_000:
        raise UsageError("the rate is a number of messages per second from 0.1 to 10000, or empty")
    return found


def _of_waiting(site: Site, arguments: Arguments, kind: Kind) -> Question:
    """As the lists show them: those that came later are not meant."""
    chosen = set(_ids(arguments))
    service, feed = arguments.text("service", SERVICES), arguments.text("feed")
    wanted = Filter(
        (service,) if service else SERVICES,
        arguments.text("reason") or None,
        feed if feed and feed != NO_FEED else None,
        ids=frozenset(chosen),
    )
    if wanted.is_everything and not feed:
        raise UsageError("choose dead letters first, or a group of them")
    board = site.board(wanted).value
    # Of those that no longer wait, the page says so; others never were there.
    check_known(site.connect(), chosen - {line.letter.id for line in board.lines})
    name = arguments.text("name").lower()
    lines = [
        line
        for line in board.lines
        if name in (line.letter.object or "").lower() and (feed != NO_FEED or not line.letter.feed)
    ]
    return Question(kind, lines, max(0, board.count - len(board.lines)) if not name else 0)


def _ids(arguments: Arguments) -> list[str]:
    return [one for one in arguments.words.getlist("id") if one]


def _of_ended(site: Site, arguments: Arguments) -> Question:
    """Those of the chosen discards that can be taken back."""
    connection = site.connect()
    ids = _ids(arguments)
    if operation := arguments.text("operation"):
        action = find_action(connection, operation)
        if action is None:
            raise UsageError(f"no operation {operation} is known: the page of operations lists those that are")
        ids = list(action.letters)
    if not ids:
        raise UsageError("choose discarded dead letters first")
    found = [one for one in kept_letters(connection, "ended", ids) if is_undoable(one.end)]
    check_known(connection, set(ids) - {one.letter.id for one in found})
    lines = sorted((Line(one.letter, one.end) for one in found), key=lambda line: line.letter.at)
    return Question(Kind.UNDO, lines, len(set(ids)) - len(found))


def _command(kind: Kind, arguments: Arguments, ids: Sequence[str]) -> str:
    if kind == Kind.UNDO:
        return command_line("dead-letters", "undo", *ids[:_SAMPLE])
    given: dict[str, Any] = {name: arguments.text(name) for name in ("reason", "feed", "service")}
    if not any(given.values()) or given["feed"] == NO_FEED:
        chosen = [part for one in ids[:_SAMPLE] for part in ("--id", one)]
        return command_line("dead-letters", kind.value, *chosen, why="…" if kind == Kind.DISCARD else None)
    return command_line("dead-letters", kind.value, **given, why="…" if kind == Kind.DISCARD else None)
