"""The dead letters that wait, held by leases for as long as one command looks at them.

Pub/Sub has no way to look at a message without leasing it. A message that is given back while the rest is
still being read comes again in the same reading, so each one is held, by its id alone, until the command is
through; then all that were not acknowledged are given back at once. A thread extends the leases meanwhile.
Of a command that is killed, the leases lapse after the subscription's ack deadline and nothing is lost.

Pulling counts a delivery attempt. That uses nothing up: these subscriptions have no dead-letter policy.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from types import TracebackType
from typing import Any, Protocol

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from services.shared.messages.dead_letter import DeadLetter

MAX_PULL = 500
# Pub/Sub answers an empty pull after a moment. If we time out before that, messages stay leased with no holder.
_PULL_SECONDS = 10.0
# An empty answer does not prove an empty subscription.
_EMPTY_PULLS = 3
# A request may have 512 KiB, an ack id some 200 bytes.
_MAX_ACK_IDS = 1000


class Source(Protocol):
    """Dead letters, to read."""

    def batches(self, most: int = MAX_PULL) -> Iterator[list[DeadLetter]]: ...


class DeadLetterSubscription:
    """Use as a context: leaving it gives back whatever was not acknowledged."""

    def __init__(self, connection: Connection, services: Sequence[str] = SERVICES) -> None:
        self._connection = connection
        self._services = services
        self._held: dict[tuple[str, str], str] = {}
        self._acknowledged: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(len(services))
        self._pulls: dict[Future[Sequence[Any]], str] = {}
        self._over = threading.Event()
        self._extender = threading.Thread(target=self._extend, daemon=True)
        seconds = [self._settings(service)["ack_deadline_seconds"] for service in services]
        self._deadline = min(seconds)

    def __enter__(self) -> DeadLetterSubscription:
        _ = self._connection.subscriber  # here, not in two threads: it raises where Pub/Sub does not answer
        self._extender.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._extender.join()
        self._pool.shutdown()
        for pull, service in self._pulls.items():
            if pull.exception() is None:
                self._hold(service, pull.result())
        self._modify(self._take(), 0)

    def batches(self, most: int = MAX_PULL) -> Iterator[list[DeadLetter]]:
        """Every waiting dead letter once, at most `most` of one service at a time, in no order."""
        empty = dict.fromkeys(self._services, 0)
        seen = dict.fromkeys(self._services, 0)
        for service in self._services:
            self._begin_pull(service, most)
        while self._pulls:
            pull = next(as_completed(self._pulls))
            service = self._pulls[pull]
            fresh = self._hold(service, pull.result())
            del self._pulls[pull]
            seen[service] += len(fresh)
            empty[service] = 0 if fresh else empty[service] + 1
            if fresh:
                yield fresh
            if fresh or (empty[service] < _EMPTY_PULLS and seen[service] < self._backlog(service)):
                self._begin_pull(service, most)

    def acknowledge(self, dead_letters: Iterable[DeadLetter]) -> None:
        """They are done and gone."""
        keys = [(one.service, one.id) for one in dead_letters]
        with self._lock:
            done = {key: self._held.pop(key) for key in keys if key in self._held}
            self._acknowledged.update(done)
        self._acknowledge(done)

    def _hold(self, service: str, messages: Sequence[Any]) -> list[DeadLetter]:
        """The dead letters among the messages that were not seen before."""
        fresh, again = [], {}
        with self._lock:
            for received in messages:
                key = (service, received.message.message_id)
                if key in self._acknowledged:
                    again[key] = received.ack_id
                    continue
                if key not in self._held:
                    fresh.append(DeadLetter.decode(service, received.message, self._connection.feeds))
                self._held[key] = received.ack_id
        self._acknowledge(again)
        return fresh

    def _begin_pull(self, service: str, most: int) -> None:
        self._pulls[self._pool.submit(self._pull, service, most)] = service

    def _pull(self, service: str, most: int) -> Sequence[Any]:
        from google.api_core.exceptions import DeadlineExceeded

        try:
            answer = self._connection.subscriber.pull(
                subscription=self._path(service), max_messages=most, timeout=_PULL_SECONDS, retry=None
            )
        except DeadlineExceeded:
            return []
        return list(answer.received_messages)

    def _backlog(self, service: str) -> int:
        from google.api_core.exceptions import Forbidden

        try:
            return self._connection.undelivered(self._connection.topology.dead_letter_subscription(service))
        except Forbidden:
            # Without the right to read metrics, only empty answers tell.
            return sys.maxsize

    def _extend(self) -> None:
        from google.api_core.exceptions import GoogleAPIError

        while not self._over.wait(self._deadline / 3):
            with self._lock:
                held = dict(self._held)
            try:
                self._modify(held, self._deadline)
            except GoogleAPIError as error:
                # A lapsed lease only means that a dead letter may be seen, or replayed, twice.
                self._connection.say(f"leases not extended: {error}")

    def _take(self) -> dict[tuple[str, str], str]:
        with self._lock:
            held, self._held = self._held, {}
        return held

    def _modify(self, held: dict[tuple[str, str], str], seconds: int) -> None:
        for service, ids in _chunks(held):
            self._connection.subscriber.modify_ack_deadline(
                subscription=self._path(service),
                ack_ids=ids,
                ack_deadline_seconds=seconds,
                retry=self._connection.retry,
            )

    def _acknowledge(self, held: dict[tuple[str, str], str]) -> None:
        for service, ids in _chunks(held):
            path, retry = self._path(service), self._connection.retry
            self._connection.subscriber.acknowledge(subscription=path, ack_ids=ids, retry=retry)

    def _settings(self, service: str) -> dict[str, Any]:
        topology = self._connection.topology
        return topology.subscriptions[topology.dead_letter_subscription(service)]

    def _path(self, service: str) -> str:
        name = self._connection.topology.dead_letter_subscription(service)
        return str(self._connection.subscriber.subscription_path(self._connection.project, name))


def _chunks(held: dict[tuple[str, str], str]) -> Iterator[tuple[str, list[str]]]:
    """Service and ack ids, as many as fit in a request."""
    for service in sorted({service for service, _ in held}):
        ids = [ack_id for (owner, _), ack_id in held.items() if owner == service]
        for start in range(0, len(ids), _MAX_ACK_IDS):
            yield service, ids[start : start + _MAX_ACK_IDS]
