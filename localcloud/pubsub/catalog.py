"""Topics and subscriptions: kept in memory, written through to the database."""

import sqlite3
from dataclasses import dataclass
from functools import cached_property

from google.protobuf import field_mask_pb2  # type: ignore[import-untyped]
from google.pubsub_v1 import types

from localcloud.pubsub.database import Database
from localcloud.pubsub.errors import already_exists, invalid, not_found
from localcloud.pubsub.names import check_name
from localcloud.pubsub.policy import Policy, policy_of, with_defaults

DELETED_TOPIC = "_deleted-topic_"
_MUTABLE = {
    "ack_deadline_seconds",
    "push_config",
    "bigquery_config",
    "message_retention_duration",
    "labels",
    "expiration_policy",
    "dead_letter_policy",
    "retry_policy",
    "retain_acked_messages",
    "enable_exactly_once_delivery",
}


@dataclass(frozen=True)
class Subscription:
    """A subscription as its client defined it, and the policy that follows."""

    id: int
    definition: types.Subscription
    policy: Policy

    @cached_property
    def name(self) -> str:
        return str(self.definition.name)

    @cached_property
    def topic(self) -> str:
        """`DELETED_TOPIC` once it is deleted."""
        return str(self.definition.topic)


class Catalog:
    """Each change is one database transaction, whose lock also guards the memory.

    Raises:
        EmulatorError: ALREADY_EXISTS, NOT_FOUND or INVALID_ARGUMENT, as Pub/Sub.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._topics: dict[str, types.Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        with database.transaction() as db:
            for name, definition in db.execute("SELECT name, definition FROM topics"):
                self._topics[name] = types.Topic.deserialize(definition)
            for number, definition in db.execute("SELECT id, definition FROM subscriptions"):
                loaded = types.Subscription.deserialize(definition)
                self._subscriptions[loaded.name] = Subscription(number, loaded, policy_of(loaded))

    def create_topic(self, topic: types.Topic) -> types.Topic:
        """Add a topic of a new name."""
        check_name("topic", topic.name)
        types.Topic.pb(topic).state = int(types.Topic.State.ACTIVE)
        with self._database.transaction() as db:
            if topic.name in self._topics:
                raise already_exists(topic.name)
            db.execute("INSERT INTO topics VALUES (?, ?)", (topic.name, types.Topic.serialize(topic)))
            self._topics[topic.name] = topic
        return topic

    def topic(self, name: str) -> types.Topic:
        """The topic called `name`."""
        found = self._topics.get(name)
        if found is None:
            check_name("topic", name)
            raise not_found(name)
        return found

    def has_topic(self, name: str) -> bool:
        return name in self._topics

    def update_topic(self, change: types.Topic, paths: list[str]) -> types.Topic:
        """Change labels or message retention."""
        _check_paths(paths, {"labels", "message_retention_duration"}, types.Topic)
        with self._database.transaction() as db:
            updated = types.Topic(self.topic(change.name))
            _merge(types.Topic.pb(change), types.Topic.pb(updated), paths)
            db.execute(
                "UPDATE topics SET definition = ? WHERE name = ?",
                (types.Topic.serialize(updated), updated.name),
            )
            self._topics[updated.name] = updated
        return updated

    def delete_topic(self, name: str) -> None:
        """Remove a topic. Its subscriptions stay and keep their messages."""
        self.topic(name)
        with self._database.transaction() as db:
            db.execute("DELETE FROM topics WHERE name = ?", (name,))
            self._topics.pop(name, None)
            for held in self.subscribers(name):
                orphan = types.Subscription(held.definition)
                orphan.topic = DELETED_TOPIC
                self._save(db, held, orphan)

    def topics(self) -> list[types.Topic]:
        """All topics, by name."""
        return [topic for _, topic in sorted(self._topics.copy().items())]

    def create_subscription(self, asked: types.Subscription) -> Subscription:
        """Add a subscription; its topic and dead-letter topic must exist."""
        check_name("subscription", asked.name)
        definition = with_defaults(asked)
        policy = policy_of(definition)
        with self._database.transaction() as db:
            if asked.name in self._subscriptions:
                raise already_exists(asked.name)
            self.topic(definition.topic)
            self._check_dead_letter_topic(policy)
            cursor = db.execute(
                "INSERT INTO subscriptions (name, definition) VALUES (?, ?)",
                (asked.name, types.Subscription.serialize(definition)),
            )
            created = Subscription(cursor.lastrowid or 0, definition, policy)
            self._subscriptions[asked.name] = created
        return created

    def subscription(self, name: str) -> Subscription:
        """The subscription called `name`."""
        found = self._subscriptions.get(name)
        if found is None:
            check_name("subscription", name)
            raise not_found(name)
        return found

    def update_subscription(self, change: types.Subscription, paths: list[str]) -> Subscription:
        """Change the fields in `paths`, a field mask; refused for what Pub/Sub cannot change."""
        _check_paths(paths, _MUTABLE, types.Subscription)
        with self._database.transaction() as db:
            held = self.subscription(change.name)
            updated = types.Subscription(held.definition)
            _merge(types.Subscription.pb(change), types.Subscription.pb(updated), paths)
            full = with_defaults(updated)
            self._check_dead_letter_topic(policy_of(full))
            return self._save(db, held, full)

    def delete_subscription(self, name: str) -> None:
        """Remove a subscription and everything still owed to it."""
        held = self.subscription(name)
        with self._database.transaction() as db:
            db.execute("DELETE FROM subscriptions WHERE id = ?", (held.id,))
            db.execute("DELETE FROM deliveries WHERE subscription_id = ?", (held.id,))
            db.execute("DELETE FROM messages WHERE id NOT IN (SELECT message_id FROM deliveries)")
            self._subscriptions.pop(name, None)

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions, by name."""
        return [held for _, held in sorted(self._subscriptions.copy().items())]

    def subscribers(self, topic: str) -> list[Subscription]:
        """The subscriptions of one topic, by name."""
        return [held for held in self.subscriptions() if held.topic == topic]

    def _save(self, db: sqlite3.Connection, held: Subscription, definition: types.Subscription) -> Subscription:
        saved = Subscription(held.id, definition, policy_of(definition))
        db.execute(
            "UPDATE subscriptions SET definition = ? WHERE id = ?",
            (types.Subscription.serialize(definition), held.id),
        )
        self._subscriptions[held.name] = saved
        return saved

    def _check_dead_letter_topic(self, policy: Policy) -> None:
        if policy.dead_letter_topic:
            self.topic(policy.dead_letter_topic)


def _check_paths(paths: list[str], mutable: set[str], kind: type) -> None:
    if not paths:
        raise invalid("The update mask is empty: name the fields to change.")
    for path in paths:
        if path.split(".")[0] not in mutable:
            raise invalid(f'"{path}" of a {kind.__name__.lower()} cannot be updated. Can be: {sorted(mutable)}.')


def _merge(change: object, target: object, paths: list[str]) -> None:
    mask = field_mask_pb2.FieldMask(paths=paths)
    try:
        mask.MergeMessage(change, target, replace_message_field=True, replace_repeated_field=True)
    except ValueError as error:
        raise invalid(f"Bad update mask: {error}.") from error
