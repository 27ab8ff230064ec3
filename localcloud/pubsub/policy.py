"""How a subscription's messages are delivered, read once from its definition."""

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from google.pubsub_v1 import types

from localcloud.pubsub.errors import invalid, unsupported
from localcloud.pubsub.filters import Predicate, compile_filter
from localcloud.pubsub.names import check_name

DEFAULT_DEADLINE = 10
DEFAULT_RETENTION = timedelta(days=7)
DEFAULT_EXPIRATION = timedelta(days=31)
DEFAULT_MIN_BACKOFF = timedelta(seconds=10)
DEFAULT_MAX_BACKOFF = timedelta(seconds=600)
DEFAULT_ATTEMPTS = 5
_NOT_SUPPORTED = {
    "enable_message_ordering": "message ordering",
    "enable_exactly_once_delivery": "exactly-once delivery",
    "retain_acked_messages": "retaining acknowledged messages",
    "cloud_storage_config": "exports to Cloud Storage",
    "bigtable_config": "exports to Bigtable",
    "message_transforms": "message transforms",
}


@dataclass(frozen=True)
class Policy:
    """How messages of one subscription are delivered. Durations are in seconds."""

    deadline: int
    retention: float
    min_backoff: float
    max_backoff: float
    dead_letter_topic: str
    max_attempts: int
    endpoint: str
    table: str
    """project.dataset.table that messages are written to; empty where they are pushed or pulled."""
    matches: Predicate

    def backoff(self, attempts: int) -> float:
        """How long a message waits after its failed attempt number `attempts`."""
        return min(self.max_backoff, self.min_backoff * 2.0 ** min(max(attempts - 1, 0), 60))

    def exhausted(self, attempts: int) -> bool:
        """Whether a message tried this often belongs in the dead-letter topic."""
        return bool(self.dead_letter_topic) and attempts >= self.max_attempts


def with_defaults(subscription: types.Subscription) -> types.Subscription:
    """A copy with Pub/Sub's defaults filled in, as GetSubscription shows them."""
    full = types.Subscription(subscription)
    full.ack_deadline_seconds = full.ack_deadline_seconds or DEFAULT_DEADLINE
    types.Subscription.pb(full).state = int(types.Subscription.State.ACTIVE)
    if "message_retention_duration" not in full:
        full.message_retention_duration = DEFAULT_RETENTION
    if "expiration_policy" not in full:
        full.expiration_policy = types.ExpirationPolicy(ttl=DEFAULT_EXPIRATION)
    if "dead_letter_policy" in full and not full.dead_letter_policy.max_delivery_attempts:
        full.dead_letter_policy.max_delivery_attempts = DEFAULT_ATTEMPTS
    if "retry_policy" in full:
        _fill_retry_policy(full.retry_policy)
    return full


def _fill_retry_policy(retry: types.RetryPolicy) -> None:
    if "minimum_backoff" not in retry:
        retry.minimum_backoff = DEFAULT_MIN_BACKOFF
    if "maximum_backoff" not in retry:
        retry.maximum_backoff = DEFAULT_MAX_BACKOFF


def policy_of(subscription: types.Subscription) -> Policy:
    """The policy of a subscription with its defaults filled in; INVALID_ARGUMENT if it makes no sense."""
    for field, what in _NOT_SUPPORTED.items():
        if getattr(subscription, field):
            raise unsupported(what)
    check_deadline(subscription.ack_deadline_seconds)
    low, high = _backoffs(subscription)
    return Policy(
        deadline=subscription.ack_deadline_seconds,
        retention=_retention(subscription),
        min_backoff=low,
        max_backoff=high,
        dead_letter_topic=_dead_letter_topic(subscription),
        max_attempts=subscription.dead_letter_policy.max_delivery_attempts,
        endpoint=_endpoint(subscription.push_config),
        table=_table(subscription),
        matches=compile_filter(subscription.filter),
    )


def check_deadline(seconds: int) -> None:
    """Refuse an ack deadline outside Pub/Sub's range."""
    if not 10 <= seconds <= 600:
        raise invalid(f"The ack deadline is {seconds} s; it must be between 10 and 600 s.")


def _retention(subscription: types.Subscription) -> float:
    seconds = float(subscription.message_retention_duration.total_seconds())
    if not 600 <= seconds <= 31 * 86400:
        raise invalid(f"The message retention is {seconds:g} s; it must be between 10 minutes and 31 days.")
    return seconds


def _backoffs(subscription: types.Subscription) -> tuple[float, float]:
    if "retry_policy" not in subscription:
        return 0.0, 0.0
    low = subscription.retry_policy.minimum_backoff.total_seconds()
    high = subscription.retry_policy.maximum_backoff.total_seconds()
    if not 0 <= low <= high <= 600:
        raise invalid(f"Backoffs of {low:g} to {high:g} s; needed: 0 <= minimum <= maximum <= 600 s.")
    return low, high


def _dead_letter_topic(subscription: types.Subscription) -> str:
    if "dead_letter_policy" not in subscription:
        return ""
    policy = subscription.dead_letter_policy
    check_name("topic", policy.dead_letter_topic)
    if not 5 <= policy.max_delivery_attempts <= 100:
        raise invalid(f"{policy.max_delivery_attempts} delivery attempts at most; it must be between 5 and 100.")
    return str(policy.dead_letter_topic)


def _endpoint(push: types.PushConfig) -> str:
    if "no_wrapper" in push:
        raise unsupported("unwrapped pushes")
    url = urlsplit(push.push_endpoint)
    if push.push_endpoint and (url.scheme not in ("http", "https") or not url.hostname):
        raise invalid(f'"{push.push_endpoint}" is not a push endpoint: expected an http:// or https:// URL.')
    return str(push.push_endpoint)


def _table(subscription: types.Subscription) -> str:
    config = subscription.bigquery_config
    if not config.table:
        return ""
    if subscription.push_config.push_endpoint:
        raise invalid("A subscription pushes or writes to a table, not both.")
    if not config.write_metadata or config.use_topic_schema or config.use_table_schema:
        raise unsupported("exports to BigQuery other than with write_metadata alone")
    match = re.fullmatch(r"([a-z0-9][a-z0-9-]*)[.:](\w+)\.([\w-]+)", str(config.table))
    if match is None:
        raise invalid(f'"{config.table}" is not a table: expected project.dataset.table.')
    return ".".join(match.groups())
