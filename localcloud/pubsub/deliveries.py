"""Keeps a loop for every subscription that is not pulled from."""

import threading
import time
from collections.abc import Mapping

from google.pubsub_v1 import types

from localcloud.pubsub.catalog import Catalog, Subscription
from localcloud.pubsub.loop import Loop
from localcloud.pubsub.names import split_name
from localcloud.pubsub.places import Places
from localcloud.pubsub.policy import policy_of, with_defaults
from localcloud.pubsub.push import PushLoop
from localcloud.pubsub.queue import Queue
from localcloud.pubsub.signals import Signals
from localcloud.pubsub.tables import TableLoop, Tables

_STOP_GRACE = 2.0


class Deliveries:
    """Loops that push, and loops that write to a table."""

    def __init__(
        self, catalog: Catalog, queue: Queue, signals: Signals, tables: Tables, places: Mapping[str, int]
    ) -> None:
        """`places`: by a subscription's id, how many pushes its service takes at once; any number where it is none."""
        self._catalog = catalog
        self._queue = queue
        self._signals = signals
        self._tables = tables
        self._places = places
        self._lock = threading.Lock()
        self._loops: dict[tuple[str, type[Loop]], Loop] = {}

    def check(self, asked: types.Subscription) -> None:
        """Refuse a subscription that would write to a table that is not there."""
        if table := policy_of(with_defaults(asked)).table:
            self._tables.check(table)

    def refresh(self) -> None:
        """Start the loops that are missing. Those running read their subscription afresh each time."""
        with self._lock:
            for subscription in self._catalog.subscriptions():
                if subscription.policy.endpoint:
                    self._ensure(subscription, PushLoop)
                if subscription.policy.table:
                    self._ensure(subscription, TableLoop)
        self._signals.notify(name for name, _ in self._loops)

    def join(self) -> None:
        """Wait until the deliveries under way have ended, `_STOP_GRACE` seconds at most."""
        until = time.monotonic() + _STOP_GRACE
        for loop in list(self._loops.values()):
            loop.join(until)

    def _ensure(self, subscription: Subscription, kind: type[PushLoop] | type[TableLoop]) -> None:
        loop = self._loops.get((subscription.name, kind))
        if loop is None or not loop.running:
            self._loops[subscription.name, kind] = self._start(subscription.name, kind)

    def _start(self, name: str, kind: type[PushLoop] | type[TableLoop]) -> Loop:
        if kind is TableLoop:
            return TableLoop(name, self._catalog, self._queue, self._signals, self._tables)
        places = Places(self._places.get(split_name(name)[1]))
        return PushLoop(name, self._catalog, self._queue, self._signals, places)
