"""Entry point of the ingest function."""

from __future__ import annotations

import flask
import functions_framework
from google.cloud.storage import Client

from services.ingest.stage_file import Stager
from services.shared.connections import keep_connections
from services.shared.delivery import Response
from services.shared.runtime import Runtime, once, start


@once
def _wired() -> tuple[Runtime, Stager]:
    here = start()
    storage = Client(project=here.settings.project)
    keep_connections(storage, here.settings.threads)
    return here, Stager(here.settings, here.feeds, storage, here.warehouse, here.publisher, here.journal)


@functions_framework.http
def ingest(request: flask.Request) -> Response:
    """One push delivery of a Cloud Storage notification; to a GET, which contracts run."""
    runtime, stager = _wired()
    if request.method == "GET":
        return runtime.describe()
    return runtime.handle(request.get_data(), stager)
