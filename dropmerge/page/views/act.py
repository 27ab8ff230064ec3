"""The question before dead letters are replayed, discarded or taken back: how many, which, and what is known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict

from dropmerge.operations.actions.record import MOST_LETTERS, Action, Kind, find_action
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.board import Line, newer_of
from dropmerge.operations.dead_letters.filters import MAX_REPLAYS
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
from dropmerge.page.views.chosen_letters import chosen_letters

_SAMPLE = 10
_MOST_TYPED = 50
"""Ids in a command."""


@dataclass(frozen=True)
class Question:
    kind: Kind
    lines: Sequence[Line]
    """The letters that are meant, the oldest first."""
    left_out: int
    """Of the filter, that are more than one action takes."""
    options: Mapping[str, object] | None = None
    """Of a command that takes the same letters; None where it takes their ids."""

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def title(self) -> str:
        verb = "Take back the discard of" if self.kind == Kind.UNDO else self.kind.value.capitalize()
        return f"{verb} {self.count:,} dead letter{'' if self.count == 1 else 's'}"

    @property
    def has_canary(self) -> bool:
        """Whether one goes first, unless somebody says otherwise."""
        return self.kind == Kind.REPLAY and self.count > 1

    @property
    def causes(self) -> list[tuple[str, str, int]]:
        """Reason, feed and how many, the most frequent first."""
        found = Counter((line.kind.reason, line.kind.feed) for line in self.lines)
        return [(*cause, number) for cause, number in sorted(found.items(), key=lambda one: (-one[1], one[0]))]

    @property
    def different(self) -> str:
        """Why the first says nothing about the others; empty where it does."""
        reasons, feeds = ({cause[n] for cause in self.causes} for n in (0, 1))
        if len(reasons) > 1:
            return f"these failed for {len(reasons)} different reasons"
        return f"these are of {len(feeds)} different feeds" if len(feeds) > 1 else ""

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
        question.title,
        "act.html",
        _command(question, ids),
        site.status().as_of,
        json=lambda: {"kind": kind.value, "ids": ids},
        columns=("id",),
        rows=lambda: ({"id": one} for one in ids),
        values={
            "question": question,
            "sample": sample,
            "ids": ",".join(ids),
            "warnings": (
                [*deployed.unchanged(summary.contracts), *_still_unwanted(site.connect(), question.lines)]
                if kind == Kind.REPLAY
                else []
            ),
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
    ids, chosen = set(_ids(arguments)), chosen_letters(site, arguments)
    wanted = replace(chosen.wanted, ids=frozenset(ids))
    if wanted.is_everything:
        raise UsageError("choose dead letters first, or a group of them")
    board = site.board(wanted).value
    # Of those that no longer wait, the page says so; others never were there.
    check_known(site.connect(), ids - {line.letter.id for line in board.lines})
    left_out = max(0, board.count - len(board.lines))
    return Question(kind, board.lines, left_out, None if ids or left_out else chosen.options)


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


def _still_unwanted(connection: Connection, lines: Sequence[Line]) -> Iterator[str]:
    names = [line.letter.object for line in lines if line.letter.reason == "no_feed"]
    count = sum(name is not None and connection.feed_of(name) is None for name in names)
    if count:
        whose = "the name of 1 of these files" if count == 1 else f"the names of {count:,} of these files"
        yield f"no feed's pattern matches {whose} still: deploy a contract that has it, or they will fail again"


def _command(question: Question, ids: Sequence[str]) -> str:
    """Empty where nothing is chosen, or more than anybody types."""
    kind, options = question.kind, question.options
    if not ids or (options is None and len(ids) > _MOST_TYPED):
        return ""
    if kind == Kind.UNDO:
        return command_line("dead-letters", "undo", *ids)
    named = [part for one in ids for part in ("--id", one)] if options is None else []
    return command_line(
        "dead-letters",
        kind.value,
        *named,
        **(options or {}),
        canary=1 if question.has_canary else None,
        why="…" if kind == Kind.DISCARD else None,
    )
