"""Entry point of the ingest function: translate, wire, settle."""

from __future__ import annotations

import threading
from functools import lru_cache

import flask
import functions_framework
from google.cloud import pubsub_v1, storage  # type: ignore[attr-defined]  # has no types

from services.ingest.stage_file import Stager
from services.shared import logs
from services.shared.contract.feed import read_feeds
from services.shared.delivery import Response, handle
from services.shared.journal import Journal
from services.shared.publisher import Publisher
from services.shared.settings import read_settings
from services.shared.warehouse import Warehouse, connect

_wiring = threading.Lock()


@lru_cache(maxsize=1)
def _stager() -> Stager:
    logs.set_up()
    settings = read_settings()
    client = connect(settings.project, settings.location)
    return Stager(
        settings,
        read_feeds(settings.feeds),
        storage.Client(project=settings.project),
        Warehouse(client, settings.budget_seconds),
        Publisher(pubsub_v1.PublisherClient(), settings.project),
        Journal(client, settings.ops_dataset, settings.service),
    )


@functions_framework.http
def ingest(request: flask.Request) -> Response:
    """One push delivery of a Cloud Storage notification."""
    with _wiring:
        stager = _stager()
    return handle(request.get_data(), stager, stager.settings, stager.publisher, stager.journal)
