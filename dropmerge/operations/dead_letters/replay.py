"""What is done with dead letters: published again, or given up; a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from deploy.topology import SERVICES
from dropmerge.cli.exit_codes import fail
from dropmerge.cli.terminal import who
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.dead_letter import Letter
from dropmerge.operations.dead_letters.subscription import Mailbox
from dropmerge.operations.publish import publish


def replay(connection: Connection, mailbox: Mailbox, letters: Sequence[Letter]) -> None:
    """Publish each original to the topic it came from, record, acknowledge.

    In this order a command killed anywhere loses nothing: what was published and not yet acknowledged is
    published once more by the next replay, which changes nothing.
    """
    from services.shared.journal import Event

    # The moment before: in the journal, what the pipeline does with the message comes after it.
    at, by = datetime.now(UTC), who()
    for service in SERVICES:
        some = [letter for letter in letters if letter.service == service]
        source = connection.topology["subscriptions"][service]["topic"]
        ids = publish(connection, source, [(letter.data, _stamped(letter)) for letter in some])
        connection.journal.write(
            [
                (
                    Event("replayed", {"dead_letter_id": letter.id, "message_id": message_id, "who": by}, at),
                    letter.about,
                )
                for letter, message_id in zip(some, ids, strict=True)
            ]
        )
        mailbox.acknowledge(some)


def _named(letter: Letter) -> dict[str, str]:
    return {
        "dead_letter_id": letter.id,
        "dead_lettered_at": letter.dead_lettered_at,
        "reason": letter.reason,
    }


def discard(connection: Connection, mailbox: Mailbox, letters: Sequence[Letter], why: str) -> None:
    """Record, and only what is recorded is acknowledged: nothing goes without a trace."""
    from services.shared.journal import Event

    at, by = datetime.now(UTC), who()
    written = connection.journal.write(
        [(Event("discarded", {**_named(x), "why": why, "who": by}, at), x.about) for x in letters]
    )
    if not written:
        fail("the journal cannot be written, so these dead letters stay; try again")
    mailbox.acknowledge(letters)


def _stamped(letter: Letter) -> dict[str, str]:
    return {**letter.attributes, "replay_of": letter.id, "replay_count": str(letter.replay_count + 1)}
