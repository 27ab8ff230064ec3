"""What is done with dead letters: published again, or discarded; a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from dropmerge.operations.dead_letters.summary import Summary
from dropmerge.operations.dead_letters.waiting import waiting
from dropmerge.operations.errors import NotDone
from dropmerge.operations.rate import RateLimiter
from services.shared.messages.dead_letter import DeadLetter

Action = Callable[[Connection, DeadLetterSubscription, Sequence[DeadLetter]], None]
Progress = Callable[[int], None]
"""Is called with the number of dead letters done so far."""
_MOST_ON_A_YES = 100
"""Dead letters: to discard more takes typing their number."""


def look(connection: Connection, wanted: Filter, progress: Progress) -> Summary:
    """What an action would take, which stays where it is."""
    summary = Summary()
    with waiting(connection, wanted.services, wanted.ids) as source:
        for batch in wanted.batches(source, summary):
            summary.add(batch)
            progress(summary.count)
    return summary


def replay(connection: Connection, wanted: Filter, limiter: RateLimiter, progress: Progress) -> Summary:
    """Publish the originals again, each to the topic that it came from; what was done."""
    return for_each_batch(connection, wanted, limiter, replay_batch, progress)


def discard(connection: Connection, wanted: Filter, why: str, progress: Progress) -> Summary:
    """Discard them; what was done. Raises NotDone where that cannot be recorded."""
    action = partial(discard_batch, why=why)
    return for_each_batch(connection, wanted, RateLimiter(None), action, progress)


def takes_number(count: int) -> bool:
    """Whether who discards so many has to type how many they are."""
    return count > _MOST_ON_A_YES


def replay_batch(
    connection: Connection, subscription: DeadLetterSubscription, dead_letters: Sequence[DeadLetter]
) -> None:
    """Publish each original to the topic it came from, record, acknowledge.

    In this order a command killed anywhere loses nothing: what was published and not yet acknowledged is
    published once more by the next replay, which changes nothing.
    """
    from services.shared.journal import Event

    # The moment before: in the journal, what the pipeline does with the message comes after it.
    at = datetime.now(UTC)
    for service in SERVICES:
        some = [one for one in dead_letters if one.service == service]
        source = connection.topology.source_topic(service)
        ids = connection.publisher.publish(source, [(one.data, _replay_attributes(one)) for one in some])
        details = [
            {"dead_letter_id": one.id, "message_id": message_id} for one, message_id in zip(some, ids, strict=True)
        ]
        connection.journal.write(
            [(Event("replayed", detail, at), one.subject) for one, detail in zip(some, details, strict=True)]
        )
        subscription.acknowledge(some)


def discard_batch(
    connection: Connection,
    subscription: DeadLetterSubscription,
    dead_letters: Sequence[DeadLetter],
    why: str,
) -> None:
    """Record, and acknowledge only what is recorded, so that nothing is lost without a trace. Raises NotDone."""
    from services.shared.journal import Event

    at = datetime.now(UTC)
    written = connection.journal.write(
        [(Event("discarded", {**_audit_fields(one), "why": why}, at), one.subject) for one in dead_letters]
    )
    if not written:
        raise NotDone("the journal cannot be written, so these dead letters stay; try again")
    subscription.acknowledge(dead_letters)


def for_each_batch(
    connection: Connection,
    wanted: Filter,
    limiter: RateLimiter,
    action: Action,
    progress: Progress,
    before: Summary | None = None,
) -> Summary:
    """Do it to all that are wanted; what was done, added to what was done before."""
    summary = before or Summary()
    with DeadLetterSubscription(connection, wanted.services) as subscription:
        for batch in wanted.batches(subscription, summary, limiter.batch):
            limiter.wait(len(batch))
            action(connection, subscription, batch)
            summary.add(batch)
            progress(summary.count)
    return summary


def _audit_fields(one: DeadLetter) -> dict[str, str]:
    return {"dead_letter_id": one.id, "dead_lettered_at": one.dead_lettered_at, "reason": one.reason}


def _replay_attributes(one: DeadLetter) -> dict[str, str]:
    return {**one.attributes, "replay_of": one.id, "replay_count": str(one.replay_count + 1)}
