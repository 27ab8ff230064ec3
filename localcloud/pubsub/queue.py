"""Messages on their way: published, leased, acknowledged, given back, dead-lettered, dropped when old."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.pubsub_v1 import types

from localcloud.pubsub.catalog import Catalog, Subscription
from localcloud.pubsub.database import Database
from localcloud.pubsub.errors import invalid
from localcloud.pubsub.names import split_name
from localcloud.pubsub.pushes import Pushes
from localcloud.pubsub.signals import Signals

MAX_LEASE_BYTES = 10_000_000
_PubsubMessage = types.PubsubMessage.pb()


@dataclass(frozen=True)
class AckId:
    """Names one attempt to deliver one message to one subscription."""

    subscription: int
    message: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.subscription}-{self.message}-{self.attempt}"

    @classmethod
    def parse(cls, text: str, subscription: Subscription) -> "AckId":
        """Read an ack id back; INVALID_ARGUMENT unless it was given out for this subscription."""
        parts = text.split("-")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
            raise invalid(f'"{text}" is not an ack id.')
        parsed = cls(*map(int, parts))
        if parsed.subscription != subscription.id:
            raise invalid(f'Ack id "{text}" does not belong to {subscription.name}.')
        return parsed


@dataclass(frozen=True)
class Leased:
    """A leased message. `message` is the bare protobuf, complete with id and publish time."""

    ack_id: str
    message: Any
    attempt: int
    size: int
    deadline: float


class Queue:
    """Which messages are owed to which subscription. Each method is one transaction and then wakes those who wait.

    `retry_speed`: the pauses between tries are so many times shorter, so that a test sees hours of them.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        signals: Signals,
        clock: Callable[[], float] = time.time,
        retry_speed: float = 1.0,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._signals = signals
        self._clock = clock
        self._retry_speed = retry_speed
        self.pushes = Pushes()

    def publish(self, topic: str, messages: Iterable[Any]) -> list[str]:
        """Store messages for every subscription of the topic whose filter they match; returns their ids."""
        with self._database.transaction() as db:
            self._catalog.topic(topic)
            ids, woken = self._store(db, topic, messages)
        self._signals.notify(woken)
        return [str(number) for number in ids]

    def lease(
        self, subscription: Subscription, limit: int, seconds: float, max_bytes: int = MAX_LEASE_BYTES
    ) -> list[Leased]:
        """Lease up to `limit` due messages for `seconds`, within `max_bytes` unless the first is over."""
        woken: set[str] = set()
        with self._database.transaction() as db:
            rows = self._due(db, subscription, limit)
            while self._forward_exhausted(db, subscription, rows, woken):
                rows = self._due(db, subscription, limit)
            leased = self._take(db, subscription, rows, seconds, max_bytes)
        self._signals.notify(woken)
        return leased

    def seconds_until_due(self, subscription: Subscription) -> float | None:
        """How long until a message that waits now can be leased; None when none waits."""
        with self._database.transaction() as db:
            row = db.execute(
                "SELECT MIN(available_at) FROM deliveries WHERE subscription_id = ?", (subscription.id,)
            ).fetchone()
        return None if row[0] is None else max(0.001, float(row[0]) - self._clock())

    def acknowledge(self, subscription: Subscription, ack_ids: Sequence[str]) -> None:
        """Owe these messages no more. As in Pub/Sub, an ack id whose lease has lapsed still works."""
        parsed = [AckId.parse(text, subscription) for text in ack_ids]
        with self._database.transaction() as db:
            _forget(db, subscription.id, [ack.message for ack in parsed])
        self._signals.notify([subscription.name])

    def give_back(self, subscription: Subscription, ack_ids: Sequence[str]) -> None:
        """Count these attempts as failed: deliver again after the backoff, or dead-letter after the last attempt."""
        parsed = [AckId.parse(text, subscription) for text in ack_ids]
        woken = {subscription.name}
        with self._database.transaction() as db:
            held = [ack for ack in parsed if self._is_current(db, ack)]
            rows = [(ack.message, ack.attempt, 0) for ack in held]
            forwarded = self._forward_exhausted(db, subscription, rows, woken)
            now = self._clock()
            db.executemany(
                "UPDATE deliveries SET available_at = ?, leased = 0 WHERE message_id = ? AND subscription_id = ?",
                [
                    (now + self._backoff(subscription, ack.attempt), ack.message, ack.subscription)
                    for ack in held
                    if ack.message not in forwarded
                ],
            )
        self._signals.notify(woken)

    def extend(self, subscription: Subscription, ack_ids: Sequence[str], seconds: float) -> None:
        """Let these leases run for `seconds` from now. One that is over is left alone."""
        parsed = [AckId.parse(text, subscription) for text in ack_ids]
        now = self._clock()
        with self._database.transaction() as db:
            db.executemany(
                "UPDATE deliveries SET available_at = ?"
                " WHERE message_id = ? AND subscription_id = ? AND attempts = ? AND leased = 1",
                [
                    (
                        now + seconds + self._backoff(subscription, a.attempt),
                        a.message,
                        a.subscription,
                        a.attempt,
                    )
                    for a in parsed
                ],
            )

    def backlog(self, subscription: Subscription) -> int:
        """Messages not acknowledged, leased ones included."""
        with self._database.transaction() as db:
            row = db.execute(
                "SELECT COUNT(*) FROM deliveries WHERE subscription_id = ?", (subscription.id,)
            ).fetchone()
        return int(row[0])

    def oldest_age(self, subscription: Subscription) -> int:
        """Seconds since the oldest message that is not acknowledged was published; 0 where there is none."""
        with self._database.transaction() as db:
            row = db.execute(
                "SELECT MIN(m.published_at) FROM deliveries d JOIN messages m ON m.id = d.message_id"
                " WHERE d.subscription_id = ?",
                (subscription.id,),
            ).fetchone()
        return 0 if row[0] is None else max(0, int(self._clock() - row[0]))

    def drop_published_before(self, subscription: Subscription, moment: float) -> None:
        """Everything owed that was published before `moment` (seconds since 1970) counts as acknowledged."""
        with self._database.transaction() as db:
            rows = db.execute(
                "SELECT d.message_id FROM deliveries d JOIN messages m ON m.id = d.message_id"
                " WHERE d.subscription_id = ? AND m.published_at < ?",
                (subscription.id, moment),
            ).fetchall()
            _forget(db, subscription.id, [row[0] for row in rows])

    def sweep(self) -> None:
        """Drop what is older than its retention; dead-letter messages whose last attempt has lapsed."""
        for subscription in self._catalog.subscriptions():
            self.drop_published_before(subscription, self._clock() - subscription.policy.retention)
            woken: set[str] = set()
            with self._database.transaction() as db:
                rows = db.execute(
                    "SELECT message_id, attempts, 0 FROM deliveries"
                    " WHERE subscription_id = ? AND available_at <= ? AND attempts >= ?",
                    (subscription.id, self._clock(), max(1, subscription.policy.max_attempts)),
                ).fetchall()
                self._forward_exhausted(db, subscription, rows, woken)
            self._signals.notify(woken)

    def _store(self, db: sqlite3.Connection, topic: str, messages: Iterable[Any]) -> tuple[list[int], set[str]]:
        now = self._clock()
        subscribers = self._catalog.subscribers(topic)
        ids: list[int] = []
        woken: set[str] = set()
        for message in messages:
            cursor = db.execute(
                "INSERT INTO messages (published_at, body) VALUES (?, ?)", (now, message.SerializeToString())
            )
            number = cursor.lastrowid or 0
            matching = [held for held in subscribers if held.policy.matches(message.attributes)]
            db.executemany(
                "INSERT INTO deliveries (message_id, subscription_id, available_at) VALUES (?, ?, ?)",
                [(number, held.id, now) for held in matching],
            )
            if not matching:  # lost, as in Pub/Sub; inserted all the same so that its id is never used again
                db.execute("DELETE FROM messages WHERE id = ?", (number,))
            woken.update(held.name for held in matching)
            ids.append(number)
        return ids, woken

    def _due(self, db: sqlite3.Connection, subscription: Subscription, limit: int) -> list[tuple[int, int, int]]:
        """Message id, attempts so far and size of what can be leased, longest waiting first."""
        return db.execute(
            "SELECT d.message_id, d.attempts, length(m.body)"
            " FROM deliveries d JOIN messages m ON m.id = d.message_id"
            " WHERE d.subscription_id = ? AND d.available_at <= ?"
            " ORDER BY d.available_at, d.message_id LIMIT ?",
            (subscription.id, self._clock(), limit),
        ).fetchall()

    def _take(
        self,
        db: sqlite3.Connection,
        subscription: Subscription,
        rows: list[tuple[int, int, int]],
        seconds: float,
        max_bytes: int,
    ) -> list[Leased]:
        now = self._clock()
        taken: list[Leased] = []
        total = 0
        for number, attempts, size in rows:
            total += size
            if taken and total > max_bytes:
                break
            attempt = attempts + 1
            db.execute(
                "UPDATE deliveries SET attempts = ?, available_at = ?, leased = 1"
                " WHERE message_id = ? AND subscription_id = ?",
                (attempt, now + seconds + self._backoff(subscription, attempt), number, subscription.id),
            )
            ack_id = str(AckId(subscription.id, number, attempt))
            taken.append(Leased(ack_id, _load(db, number), attempt, size, now + seconds))
        return taken

    def _forward_exhausted(
        self,
        db: sqlite3.Connection,
        subscription: Subscription,
        rows: Iterable[tuple[int, int, int]],
        woken: set[str],
    ) -> set[int]:
        """Move what was tried often enough to the dead-letter topic; the ids moved.

        Publishing there and acknowledging here are one transaction. While that topic does not exist,
        messages stay and go on being delivered.
        """
        policy = subscription.policy
        exhausted = [(number, attempts) for number, attempts, _ in rows if policy.exhausted(attempts)]
        if not exhausted or not self._catalog.has_topic(policy.dead_letter_topic):
            return set()
        dead_letters = [_dead_letter(_load(db, number), attempts, subscription) for number, attempts in exhausted]
        moved = [number for number, _ in exhausted]
        _, names = self._store(db, policy.dead_letter_topic, dead_letters)
        _forget(db, subscription.id, moved)
        woken |= names
        return set(moved)

    def _backoff(self, subscription: Subscription, attempts: int) -> float:
        return subscription.policy.backoff(attempts) / self._retry_speed

    def _is_current(self, db: sqlite3.Connection, ack: AckId) -> bool:
        row = db.execute(
            "SELECT 1 FROM deliveries WHERE message_id = ? AND subscription_id = ? AND attempts = ? AND leased = 1",
            (ack.message, ack.subscription, ack.attempt),
        ).fetchone()
        return row is not None


def _load(db: sqlite3.Connection, number: int) -> Any:
    published_at, body = db.execute("SELECT published_at, body FROM messages WHERE id = ?", (number,)).fetchone()
    message = _PubsubMessage.FromString(body)
    message.message_id = str(number)
    message.publish_time.FromMilliseconds(round(published_at * 1000))
    return message


def _forget(db: sqlite3.Connection, subscription: int, numbers: list[int]) -> None:
    """Owe these to `subscription` no more; a message that is owed to none is deleted."""
    db.executemany(
        "DELETE FROM deliveries WHERE message_id = ? AND subscription_id = ?",
        [(number, subscription) for number in numbers],
    )
    db.executemany(
        "DELETE FROM messages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = ?1)",
        [(number,) for number in numbers],
    )


def _dead_letter(message: Any, attempts: int, subscription: Subscription) -> Any:
    """The message with Pub/Sub's dead-letter attributes, ready to be published under a new id."""
    project, short = split_name(subscription.name)
    published = datetime.fromtimestamp(message.publish_time.ToMicroseconds() / 1_000_000, tz=UTC)
    message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(attempts)
    message.attributes["CloudPubSubDeadLetterSourceSubscription"] = short
    message.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = project
    message.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = published.isoformat(timespec="milliseconds")
    message.ClearField("message_id")
    message.ClearField("publish_time")
    return message
