"""Entry point of the merge function."""

from __future__ import annotations

import flask
import functions_framework

from services.merge.merge_loads import Merger
from services.merge.turns import Turns
from services.merge.views.create import create_views
from services.shared.delivery import Response
from services.shared.runtime import Runtime, once, start


@once
def _wired() -> tuple[Runtime, Merger]:
    here = start()
    # Of the two services it alone may make tables and views beside the ledger.
    create_views(here.warehouse)
    turns = Turns(here.settings.threads)
    return here, Merger(here.settings, here.feeds, here.warehouse, here.publisher, turns)


@functions_framework.http
def merge(request: flask.Request) -> Response:
    """One push delivery of a staged message; to a GET, which contracts run."""
    runtime, merger = _wired()
    if request.method == "GET":
        return runtime.describe()
    return runtime.handle(request.get_data(), merger)
