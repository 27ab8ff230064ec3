"""What was changed from here and by commands: what runs, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dropmerge.operations.actions.read import RecordedAction, read_actions
from dropmerge.operations.actions.record import OPERATION_ID
from dropmerge.operations.audit import Operation, read_audit
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.ends import End, read_ends
from dropmerge.operations.dead_letters.kept import kept_letters
from dropmerge.operations.errors import UsageError
from dropmerge.page.arguments import MOST_DAYS, Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel
from services.shared.messages.dead_letter import DeadLetter

_AGE = timedelta(days=30)
_CHANGE_NOTHING = {"values_shown"}
_COLUMNS = ("began_at", "id", "who", "what", "count", "state", "done", "feeds", "why")


@dataclass(frozen=True)
class _Found:
    action: RecordedAction
    taken: Mapping[str, End | None]
    """Of those that somebody else took first: how they ended, as far as that is known."""
    back: Mapping[str, DeadLetter | None]
    """Of those that were replayed and failed again: their letters of now, as far as they are in the table."""


def operations(site: Site, arguments: Arguments) -> ViewModel:
    """Newest first, of the last 30 days: this page's actions, and runs of commands."""

    def read(connection: Connection) -> tuple[list[RecordedAction], list[Operation]]:
        since = datetime.now(UTC) - _AGE
        actions = list(read_actions(connection, since))
        own = {one.id for one in actions}
        runs = read_audit(connection, since)[::-1]
        return actions, [one for one in runs if one.operation_id not in own and one.events.keys() != _CHANGE_NOTHING]

    answer = site.read("operations", read)
    actions, runs = answer.value
    return ViewModel(
        "Operations",
        "operations.html",
        command_line("audit"),
        answer.as_of,
        json=lambda: [*(one.as_json() for one in actions), *(one.as_json() for one in runs)],
        columns=_COLUMNS,
        rows=lambda: [*map(_of_action, actions), *map(_of_run, runs)],
        values={"actions": actions, "runs": runs},
        trouble=answer.trouble,
        every=3 if any(not one.is_ended for one in actions) else 10,
    )


def _of_action(one: RecordedAction) -> dict[str, Any]:
    return {
        "began_at": one.began_at,
        "id": one.id,
        "who": one.who,
        "what": one.kind,
        "count": one.count,
        "state": one.state,
        "done": one.done,
        "why": one.why,
    }


def _of_run(one: Operation) -> dict[str, Any]:
    """A run of a command is recorded once it has done something: it says how many of each, and has no state."""
    return {
        "began_at": one.happened_at,
        "id": one.operation_id,
        "who": one.who,
        "what": one.what,
        "feeds": one.feeds,
        "why": one.why,
    }


def operation(site: Site, arguments: Arguments) -> ViewModel:
    """`id`: of an action of this page."""
    operation_id = arguments.text("id")
    if not OPERATION_ID.fullmatch(operation_id):
        raise UsageError("no operation has that id: it is 12 hexadecimal digits")
    since = datetime.now(UTC) - timedelta(days=MOST_DAYS)

    def read(connection: Connection) -> _Found:
        found = read_actions(connection, since, operation_id)
        if not found:
            raise UsageError(f"no operation {operation_id} is known, of the last {MOST_DAYS} days")
        taken = found[0].progress.get("taken") or []
        ends = read_ends(connection, taken)
        back = found[0].progress.get("came_back_ids") or []
        letters = {one.letter.id: one.letter for one in kept_letters(connection, ids=back)} if back else {}
        return _Found(found[0], {one: ends.get(one) for one in taken}, {one: letters.get(one) for one in back})

    # It moves: who looks at it wants to see that.
    answer = site.cache.get(("operation", operation_id), 1.0, lambda: read(site.connect()))
    found = answer.value
    one = found.action
    return ViewModel(
        f"{one.kind.capitalize()} of {one.count:,} dead letter{'' if one.count == 1 else 's'}",
        "operation.html",
        command_line("audit"),
        answer.as_of,
        json=one.as_json,
        columns=tuple(one.as_json()),
        rows=lambda: [one.as_json()],
        values={"operation": one, "taken": found.taken, "back": found.back},
        trouble=answer.trouble,
        # A letter that came back is in the table some moments later.
        every=0 if one.is_ended and all(found.back.values()) else 1,
    )
