"""A discard taken back: the dead letter waits again, under a new id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.ends import End, LetterState, read_ends
from dropmerge.operations.dead_letters.kept import KeptLetter, kept_letters
from dropmerge.operations.errors import NotDone, UsageError
from services.shared.messages.dead_letter import PREFIX, RESERVED_PREFIX

UNDO_OF = f"{PREFIX}undo_of"
"""The attribute that names the discarded dead letter."""
_MAX_ATTRIBUTES = 100
"""Of one message (https://cloud.google.com/pubsub/quotas#resource_limits)."""


@dataclass(frozen=True)
class Undoable:
    letters: Sequence[KeptLetter]
    """Discarded, and not taken back yet."""
    others: dict[str, End]
    """Of those asked for: how the others stand, by id."""


@dataclass(frozen=True)
class Undone:
    id: str
    waits_as: str


def find_undoable(connection: Connection, ids: Sequence[str]) -> Undoable:
    """Which of these discards can be taken back. Raises UsageError for what was never a dead letter, NotDone for what
    the table does not have."""
    found = {one.letter.id: one for one in kept_letters(connection, ids=ids)}
    wanted = list(dict.fromkeys(ids))
    missing = [one for one in wanted if one not in found]
    if missing:
        _refuse(missing, read_ends(connection, missing))
    can = [found[one] for one in wanted if is_undoable(found[one].end)]
    return Undoable(can, {one: found[one].end for one in wanted if not is_undoable(found[one].end)})


def undo(connection: Connection, letters: Sequence[KeptLetter]) -> list[Undone]:
    """Publish each, as it was, to its dead-letter topic, and record it. Raises NotDone.

    A kill between the two leaves a dead letter that waits, as it should, and whose discard can be undone once more:
    of two that are the same, the load is merged once.
    """
    from services.shared.journal import Event

    done: list[Undone] = []
    for service in SERVICES:
        some = [one for one in letters if one.letter.service == service]
        topic = connection.topology.dead_letter_topic(service)
        ids = connection.publisher.publish(topic, [(one.message.data, _attributes(one)) for one in some])
        events = [(Event("undone", _detail(one, new)), one.letter.subject) for one, new in zip(some, ids, strict=True)]
        done += [Undone(one.letter.id, new) for one, new in zip(some, ids, strict=True)]
        if not connection.journal.write(events):
            raise NotDone(
                f"dead letters {', '.join(ids)} are waiting, but the journal cannot be written: "
                "`explain` will still say that they are discarded"
            )
    return done


def is_undoable(end: End) -> bool:
    """Whether it was discarded, and not taken back yet."""
    return end.state == LetterState.DISCARDED and end.undone_as is None


def _refuse(missing: Sequence[str], ends: dict[str, End]) -> None:
    if unknown := [one for one in missing if one not in ends]:
        raise UsageError(
            f"no dead letter {', '.join(unknown)} is known: `dropmerge dead-letters list --ended` lists what ended"
        )
    raise NotDone(
        f"the table of dead letters does not have {', '.join(missing)}, so there is nothing to publish again: "
        "`dropmerge backfill` re-announces its file"
    )


def _attributes(one: KeptLetter) -> dict[str, str]:
    kept = {key: text for key, text in one.message.attributes.items() if not key.startswith(RESERVED_PREFIX)}
    named = {**kept, UNDO_OF: one.letter.id}
    # Where there is no room for ours, the journal alone says where it came from.
    return named if len(named) <= _MAX_ATTRIBUTES else kept


def _detail(one: KeptLetter, new: str) -> dict[str, str]:
    letter = one.letter
    return {
        "dead_letter_id": letter.id,
        "undone_as": new,
        "dead_lettered_at": letter.dead_lettered_at,
        "reason": letter.reason,
    }
