"""A subscription's metrics as Cloud Monitoring writes them: series, each with its points, the latest first."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud.pubsub.catalog import Subscription
from localcloud.pubsub.names import split_name
from localcloud.pubsub.queue import Queue

_PREFIX = "pubsub.googleapis.com/subscription/"
UNDELIVERED = f"{_PREFIX}num_undelivered_messages"
OLDEST_AGE = f"{_PREFIX}oldest_unacked_message_age"
PUSHES = f"{_PREFIX}push_request_count"

Interval = tuple[float, float]
"""Start and end, in seconds since 1970."""
Series = Callable[[Queue, Subscription, Interval], list[dict[str, Any]]]


def _undelivered(queue: Queue, held: Subscription, interval: Interval) -> list[dict[str, Any]]:
    """Messages that are not acknowledged, leased ones included."""
    return [_series(held, UNDELIVERED, "GAUGE", [_point(interval[1], interval[1], queue.backlog(held))])]


def _oldest_age(queue: Queue, held: Subscription, interval: Interval) -> list[dict[str, Any]]:
    """Seconds since the oldest message that is not acknowledged was published."""
    return [_series(held, OLDEST_AGE, "GAUGE", [_point(interval[1], interval[1], queue.oldest_age(held))])]


def _pushes(queue: Queue, held: Subscription, interval: Interval) -> list[dict[str, Any]]:
    """A series per class of response. Google's points are of a minute each, these of a second."""
    return [
        _series(
            held,
            PUSHES,
            "DELTA",
            [_point(second, second + 1, number) for second, number in points],
            {"response_class": kind},
        )
        for kind, points in queue.pushes.between(held.name, *interval).items()
    ]


METRICS: dict[str, Series] = {UNDELIVERED: _undelivered, OLDEST_AGE: _oldest_age, PUSHES: _pushes}
"""By type of metric (https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub)."""


def _series(
    held: Subscription, metric: str, kind: str, points: list[dict[str, Any]], labels: dict[str, str] | None = None
) -> dict[str, Any]:
    project, short = split_name(held.name)
    return {
        "metric": {"type": metric, **({"labels": labels} if labels else {})},
        "resource": {
            "type": "pubsub_subscription",
            "labels": {"project_id": project, "subscription_id": short},
        },
        "metricKind": kind,
        "valueType": "INT64",
        "points": points,
    }


def _point(start: float, end: float, value: int) -> dict[str, Any]:
    # JSON has no 64-bit integers: Google writes them as text.
    return {"interval": {"startTime": _time(start), "endTime": _time(end)}, "value": {"int64Value": str(value)}}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")
