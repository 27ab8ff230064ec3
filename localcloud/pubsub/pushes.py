"""How pushes were answered lately, in Google's words, for the metric `subscription/push_request_count`."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

KEPT_SECONDS = 3600
ACKS = frozenset({102, 200, 201, 202, 204})
ACK, DEADLINE_EXCEEDED, INVALID, UNREACHABLE = "ack", "deadline_exceeded", "invalid", "unreachable"
"""With remote_server_4xx and remote_server_5xx the classes of responses that there are here
(https://cloud.google.com/pubsub/docs/push-troubleshooting; all of Google's:
https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub)."""


def response_class(status: int) -> str:
    """Of an endpoint's HTTP status."""
    if status in ACKS:
        return ACK
    return f"remote_server_{status // 100}xx" if status // 100 in (4, 5) else INVALID


class Pushes:
    """Counts by second, of the last hour. They are of this process: a restart begins anew."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: defaultdict[str, dict[tuple[str, int], int]] = defaultdict(dict)

    def count(self, subscription: str, kind: str) -> None:
        """One push was answered so, now."""
        now = int(self._clock())
        with self._lock:
            counts = self._counts[subscription]
            if (kind, now) not in counts:
                for old in [key for key in counts if key[1] < now - KEPT_SECONDS]:
                    del counts[old]
            counts[kind, now] = counts.get((kind, now), 0) + 1

    def between(self, subscription: str, start: float, end: float) -> Mapping[str, list[tuple[int, int]]]:
        """By class of response: seconds since 1970 and the number of that second, the latest first."""
        found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        with self._lock:
            for (kind, second), number in sorted(self._counts[subscription].items(), key=lambda one: -one[0][1]):
                if start <= second <= end:
                    found[kind].append((second, number))
        return found
