"""When Pub/Sub tries again, by the retry policies of the topology.

The delay grows with each failure of a message, from the policy's minimum to its maximum
(https://cloud.google.com/pubsub/docs/handling-failures#exponential_backoff). Google does not say by how much; here it
doubles, as in the local cloud, so that the times are estimates on Google Cloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any


def delay_after(subscription: Mapping[str, Any], attempt: int) -> timedelta:
    """How long a message waits after its failed attempt of this number, from 1."""
    low, high = _bounds(subscription)
    return timedelta(seconds=min(high, low * 2 ** min(max(attempt - 1, 0), 30)))


def longest_delay(subscription: Mapping[str, Any], age_seconds: float) -> int:
    """The most seconds until the next try of a message this old: the delays before it add up to its age at most."""
    low, high = _bounds(subscription)
    return int(min(high, age_seconds + low))


def _bounds(subscription: Mapping[str, Any]) -> tuple[float, float]:
    retry = subscription["retry"]
    return float(retry["minimum_backoff_seconds"]), float(retry["maximum_backoff_seconds"])
