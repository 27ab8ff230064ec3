"""What is done with dead letters: published again, or given up; a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from deploy.topology import SERVICES
from dropmerge.cli.exit_codes import abort
from dropmerge.cli.terminal import current_user
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from services.shared.messages.dead_letter import DeadLetter


def replay(connection: Connection, mailbox: DeadLetterSubscription, letters: Sequence[DeadLetter]) -> None:
    """Publish each original to the topic it came from, record, acknowledge.

    In this order a command killed anywhere loses nothing: what was published and not yet acknowledged is
    published once more by the next replay, which changes nothing.
    """
    from services.shared.journal import Event

    # The moment before: in the journal, what the pipeline does with the message comes after it.
    at, by = datetime.now(UTC), current_user()
    for service in SERVICES:
        some = [letter for letter in letters if letter.service == service]
        source = connection.topology["subscriptions"][service]["topic"]
        ids = connection.publisher.publish(source, [(letter.data, _replay_attributes(letter)) for letter in some])
        connection.journal.write(
            [
                (
                    Event("replayed", {"dead_letter_id": letter.id, "message_id": message_id, "who": by}, at),
                    letter.subject,
                )
                for letter, message_id in zip(some, ids, strict=True)
            ]
        )
        mailbox.acknowledge(some)


def _audit_fields(letter: DeadLetter) -> dict[str, str]:
    return {
        "dead_letter_id": letter.id,
        "dead_lettered_at": letter.dead_lettered_at,
        "reason": letter.reason,
    }


def discard(connection: Connection, mailbox: DeadLetterSubscription, letters: Sequence[DeadLetter], why: str) -> None:
    """Record, and only what is recorded is acknowledged: nothing goes without a trace."""
    from services.shared.journal import Event

    at, by = datetime.now(UTC), current_user()
    written = connection.journal.write(
        [(Event("discarded", {**_audit_fields(x), "why": why, "who": by}, at), x.subject) for x in letters]
    )
    if not written:
        abort("the journal cannot be written, so these dead letters stay; try again")
    mailbox.acknowledge(letters)


def _replay_attributes(letter: DeadLetter) -> dict[str, str]:
    return {**letter.attributes, "replay_of": letter.id, "replay_count": str(letter.replay_count + 1)}
