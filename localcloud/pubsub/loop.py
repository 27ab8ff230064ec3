"""A thread that delivers the messages of one subscription."""

import threading
import time
from abc import ABC, abstractmethod

from localcloud.pubsub.catalog import Catalog, Subscription
from localcloud.pubsub.errors import EmulatorError
from localcloud.pubsub.signals import Signals


class Loop(ABC):
    """Runs from its construction until the subscription is gone or the server stops."""

    def __init__(self, name: str, catalog: Catalog, signals: Signals) -> None:
        self._name = name
        self._catalog = catalog
        self._signals = signals
        self._thread = threading.Thread(target=self._run, name=f"deliver {name}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """False once the subscription is gone."""
        return self._thread.is_alive()

    def join(self, until: float) -> None:
        """Wait for deliveries under way to end, but not past `until` (monotonic)."""
        self._thread.join(max(0.0, until - time.monotonic()))

    @abstractmethod
    def _step(self, subscription: Subscription) -> float | None:
        """Start what can be started; returns how long to wait for the next chance, None for a signal."""

    def _run(self) -> None:
        while not self._signals.closed:
            seen = self._signals.count(self._name)
            try:
                timeout = self._step(self._catalog.subscription(self._name))
            except EmulatorError:
                return
            if timeout != 0:
                self._signals.wait(self._name, seen, timeout)
