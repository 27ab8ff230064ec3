"""What a running service has: its settings, contracts and clients, wired once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import structlog
from google.cloud.pubsub_v1 import PublisherClient

from services.shared import logs
from services.shared.connections import keep_connections
from services.shared.contract.feed import Feed
from services.shared.contract.reader import read_feeds
from services.shared.delivery import Handler, Response, handle
from services.shared.errors import PermanentError, TransientError
from services.shared.journal import Journal
from services.shared.labels import service_labels
from services.shared.publisher import Publisher
from services.shared.settings import Settings, read_settings
from services.shared.upgrade_journal import upgrade_journal
from services.shared.warehouse import Warehouse, connect

_T = TypeVar("_T")


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    feeds: Mapping[str, Feed]
    warehouse: Warehouse
    publisher: Publisher
    journal: Journal

    def handle(self, body: bytes, handler: Handler) -> Response:
        """Answer one push delivery."""
        return handle(body, handler, self.settings, self.publisher, self.journal)

    @property
    def contracts(self) -> Mapping[str, str]:
        """Feed to fingerprint."""
        return {name: feed.fingerprint for name, feed in self.feeds.items()}

    def describe(self) -> Response:
        """Which contracts run, as JSON. Whoever asks first also makes the service read them."""
        return json.dumps({"service": self.settings.service, "contracts": self.contracts}), 200


def start() -> Runtime:
    """From the environment. Raises: SettingsError, ContractError."""
    logs.set_up()
    settings = read_settings()
    client = connect(settings.project, settings.location, service_labels(settings.service), settings.reservation)
    keep_connections(client, settings.threads)
    here = Runtime(
        settings,
        read_feeds(settings.feeds),
        Warehouse(client, settings.budget_seconds),
        Publisher(PublisherClient(), settings.project),
        Journal(client, settings.service),
    )
    _report_start(here)
    return here


def _report_start(here: Runtime) -> None:
    """Which contracts run, to the log and the journal: `status` compares them with those on disk."""
    log = structlog.get_logger()
    log.info("started", service=here.settings.service, contracts=here.contracts)
    try:
        upgrade_journal(here.warehouse)
    except (PermanentError, TransientError) as error:
        # It is for people, and of the two services merge alone may create tables beside it.
        log.warning("journal not upgraded", service=here.settings.service, error=str(error))
    here.journal.record("started", {}, contracts=here.contracts)


def once(wire: Callable[[], _T]) -> Callable[[], _T]:
    """The same value at every call, also where two first requests come at once: each would have locks of its own."""
    lock, cached = threading.Lock(), cache(wire)

    def wired() -> _T:
        with lock:
            return cached()

    return wired
