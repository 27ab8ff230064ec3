"""Entry point of the merge function: translate, wire, settle."""

from __future__ import annotations

import threading
from functools import lru_cache

import flask
import functions_framework
from google.cloud import pubsub_v1

from services.merge.ledger import Ledger
from services.merge.merge_loads import Merger
from services.shared import logs
from services.shared.contract.feed import read_feeds
from services.shared.delivery import Response, handle
from services.shared.journal import Journal
from services.shared.publisher import Publisher
from services.shared.settings import read_settings
from services.shared.warehouse import Warehouse, connect

_wiring = threading.Lock()


@lru_cache(maxsize=1)
def _parts() -> tuple[Merger, Publisher]:
    logs.set_up()
    settings = read_settings()
    client = connect(settings.project, settings.location)
    warehouse = Warehouse(client, settings.budget_seconds)
    merger = Merger(
        settings,
        read_feeds(settings.feeds),
        warehouse,
        Ledger(warehouse, settings.project, settings.ops_dataset),
        Journal(client, settings.ops_dataset, settings.service),
    )
    return merger, Publisher(pubsub_v1.PublisherClient(), settings.project)


@functions_framework.http
def merge(request: flask.Request) -> Response:
    """One push delivery of a staged message."""
    with _wiring:  # two first requests at once would each wire a merger, with turns of its own
        merger, publisher = _parts()
    return handle(request.get_data(), merger, merger.settings, publisher, merger.journal)
