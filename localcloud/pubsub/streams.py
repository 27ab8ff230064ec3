"""Streaming pulls: what each open stream holds, so that none is sent more than it asked to hold."""

import threading
import time
from collections.abc import Iterable
from typing import Any

from localcloud.pubsub.queue import MAX_LEASE_BYTES, Leased

_MAX_BATCH = 1_000


class Stream:
    """One open streaming pull."""

    def __init__(self, opening: Any) -> None:
        """`opening`: its first StreamingPullRequest, a bare protobuf."""
        self.subscription = opening.subscription
        self.deadline = opening.stream_ack_deadline_seconds
        self.ended = False
        self.error: Exception | None = None
        self._max_messages = opening.max_outstanding_messages
        self._max_bytes = opening.max_outstanding_bytes
        self._lock = threading.Lock()
        self._held: dict[str, tuple[int, float]] = {}

    def room(self) -> tuple[int, int]:
        """How many messages and bytes may be sent now. Lapsed leases are not held any more."""
        with self._lock:
            now = time.time()
            self._held = {ack: held for ack, held in self._held.items() if held[1] > now}
            count = self._max_messages - len(self._held) if self._max_messages > 0 else _MAX_BATCH
            used = sum(size for size, _ in self._held.values())
            space = self._max_bytes - used if self._max_bytes > 0 else MAX_LEASE_BYTES
        return (min(count, _MAX_BATCH), min(space, MAX_LEASE_BYTES)) if count > 0 and space > 0 else (0, 0)

    def seconds_until_room(self) -> float:
        """When the first lease held lapses, if nothing is acknowledged before."""
        with self._lock:
            first = min((deadline for _, deadline in self._held.values()), default=0.0)
        return max(0.01, first - time.time())

    def sent(self, batch: Iterable[Leased]) -> None:
        """Count a batch as held by the client."""
        with self._lock:
            self._held.update({leased.ack_id: (leased.size, leased.deadline) for leased in batch})

    def settled(self, ack_ids: Iterable[str]) -> None:
        """Count these as no longer held: they were acknowledged or given back."""
        with self._lock:
            for ack_id in ack_ids:
                self._held.pop(ack_id, None)

    def extended(self, ack_ids: Iterable[str], seconds: float) -> None:
        """Let these leases run for `seconds` from now."""
        until = time.time() + seconds
        with self._lock:
            for ack_id in ack_ids:
                if ack_id in self._held:
                    self._held[ack_id] = (self._held[ack_id][0], until)


class Streams:
    """All open streams: clients acknowledge by separate calls, which must make room on the right stream."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Stream] = set()

    def opened(self, stream: Stream) -> None:
        with self._lock:
            self._open.add(stream)

    def closed(self, stream: Stream) -> None:
        """Forget a stream. What it held stays leased until the leases lapse."""
        with self._lock:
            self._open.discard(stream)

    def of(self, subscription: str) -> list[Stream]:
        """The open streams of one subscription."""
        with self._lock:
            return [stream for stream in self._open if stream.subscription == subscription]
