"""Whether the services take their messages: by Pub/Sub's metrics, the same on Google Cloud and locally.

`push_request_count` says how each push was answered, `oldest_unacked_message_age` since when the oldest message waits
(https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub). Google samples both every minute and shows them
up to four minutes later. By its class (https://cloud.google.com/pubsub/docs/push-troubleshooting) a response is `ack`;
`unreachable`: the endpoint could not be reached at all; `deadline_exceeded`: it did not respond in time;
`remote_server_4xx`: usually authentication or permission; `remote_server_5xx`: the endpoint's own failure; `invalid`:
one that Pub/Sub could not understand. A local service is also asked itself.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.no_answer import PUBSUB
from dropmerge.operations.status.retries import longest_delay
from dropmerge.operations.status.states import ServiceState

_PATIENCE_SECONDS = 8.0
_SILENT = {"unreachable", "deadline_exceeded"}
_MANY = 3
"""Fewer failures in a row are normal, such as after a conflict or a 503 of Google's."""


@dataclass(frozen=True)
class ServiceHealth:
    service: str
    answers: bool | None
    """None on Google Cloud, where it is not asked."""
    why: str | None
    """Why it does not answer."""
    waiting: int
    """Messages for it that are not acknowledged."""
    oldest_seconds: int
    """The age of the oldest of them."""
    failed_pushes: Mapping[str, int]
    """By class of response: the pushes since the last that it took, in the last quarter of an hour."""
    next_try_within_seconds: int
    """The most that a message which failed waits for its next try."""

    @property
    def failed(self) -> int:
        return sum(self.failed_pushes.values())

    @property
    def state(self) -> ServiceState:
        if self.answers is False or (self.answers is None and self.failed >= _MANY and self._is_silent):
            return ServiceState.DOWN
        if not self.waiting or not self.failed:
            return ServiceState.OK
        if self.failed >= _MANY and not self._is_silent:
            return ServiceState.FAILING
        return ServiceState.WAITING

    @property
    def sentence(self) -> str:
        """What is known, in words."""
        return "; ".join([f"{self._headline}{self._pushes}", *self._queue])

    def as_json(self) -> dict[str, Any]:
        return {"state": self.state.value, **asdict(self), "sentence": self.sentence}

    @property
    def _is_silent(self) -> bool:
        return set(self.failed_pushes) <= _SILENT

    @property
    def _headline(self) -> str:
        if self.state == ServiceState.DOWN:
            return f"{self.service} does not answer" + (f" ({self.why})" if self.why else "")
        if self.state == ServiceState.FAILING:
            return f"{self.service} fails"
        return f"{self.service} answers" if self.answers else f"{self.service} has nothing that fails"

    @property
    def _pushes(self) -> str:
        if not self.failed:
            return ""
        kinds = ", ".join(kind for kind, _ in Counter(self.failed_pushes).most_common())
        return (
            f": the last push failed ({kinds})"
            if self.failed == 1
            else f": the last {self.failed} pushes failed ({kinds})"
        )

    @property
    def _queue(self) -> list[str]:
        if not self.waiting or self.state == ServiceState.OK:
            return []
        wait = "1 message is waiting" if self.waiting == 1 else f"{self.waiting} messages are waiting"
        age = f"{wait}, the oldest for {self.oldest_seconds} s"
        return [age, f"Pub/Sub tries again within {self.next_try_within_seconds} s"]


def read_services(connection: Connection) -> dict[str, ServiceHealth]:
    """By service. Three requests for metrics, and locally one to each service."""
    waiting = _gauges(connection.time_series("num_undelivered_messages"))
    ages = _gauges(connection.time_series("oldest_unacked_message_age"))
    pushes = connection.time_series("push_request_count")
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        answers = dict(zip(SERVICES, pool.map(_ask, SERVICES), strict=True))
    return {service: _health(connection, service, answers[service], waiting, ages, pushes) for service in SERVICES}


def _health(
    connection: Connection,
    service: str,
    answer: tuple[bool | None, str | None],
    waiting: Mapping[str, int],
    ages: Mapping[str, int],
    pushes: Sequence[Any],
) -> ServiceHealth:
    name = connection.topology.push_subscription(service)
    age = ages.get(name, 0)
    return ServiceHealth(
        service,
        *answer,
        waiting.get(name, 0),
        age,
        _failed_since_ack([one for one in pushes if _subscription(one) == name]),
        longest_delay(connection.topology.subscriptions[name], age),
    )


def _ask(service: str) -> tuple[bool | None, str | None]:
    """Whether a local service answers, and why it does not."""
    import requests

    url = os.environ.get(f"DROPMERGE_{service.upper()}_URL") if PUBSUB.is_local else None
    if url is None:
        return None, None
    try:
        status = requests.get(url, timeout=_PATIENCE_SECONDS).status_code
    except requests.Timeout:
        return False, f"no answer for {_PATIENCE_SECONDS:.0f} s"
    except requests.ConnectionError:
        return False, "connection refused"
    return (True, None) if status < 500 else (False, f"HTTP status {status}")


def _failed_since_ack(series: Sequence[Any]) -> dict[str, int]:
    """By class of response, of the points that begin when the last that has an ack is over."""
    acks = [_time(point, "endTime") for one in series if _kind(one) == "ack" for point in one.get("points", [])]
    last_ack = max(acks, default=datetime.min.replace(tzinfo=UTC))
    found = Counter[str]()
    for one in series:
        for point in one.get("points", []):
            if _kind(one) != "ack" and _time(point, "startTime") >= last_ack:
                found[_kind(one)] += int(point["value"]["int64Value"])
    return dict(found)


def _gauges(series: Sequence[Any]) -> dict[str, int]:
    """The latest value of each subscription."""
    found = Counter[str]()
    for one in series:
        if one.get("points"):
            found[_subscription(one)] += int(one["points"][0]["value"]["int64Value"])
    return found


def _subscription(series: Any) -> str:
    return str(series["resource"]["labels"]["subscription_id"])


def _kind(series: Any) -> str:
    return str(series["metric"]["labels"]["response_class"])


def _time(point: Any, which: str) -> datetime:
    return datetime.fromisoformat(point["interval"][which])
