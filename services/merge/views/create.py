"""Makes the views of `ops`, and the tables below them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from services.merge.replace_view import replace_view
from services.merge.views import NAMES, view_query
from services.shared.datasets import OPS
from services.shared.errors import PermanentError, TransientError
from services.shared.tables import table
from services.shared.warehouse import Warehouse

_TABLES = ("journal", "ledger", "main_tables", "rejected_rows")
"""Those of an earlier release gain the columns that they lack. The table of dead letters is made with the
subscriptions that write it; its view comes with the next start after that."""


def create_views(warehouse: Warehouse) -> None:
    """Make every view, or bring it up to date, and the tables below them. Failures are logged and ignored: views are
    for people, and must not delay a load."""
    project = warehouse.client.project
    with _failure_logged("tables"):
        warehouse.create_dataset(OPS)
        for name in _TABLES:
            warehouse.create_table(table(project, name))
    for name in NAMES:
        with _failure_logged(name):
            replace_view(warehouse, f"{project}.{OPS}.{name}", view_query(project, name))


@contextmanager
def _failure_logged(what: str) -> Iterator[None]:
    try:
        yield
    except (PermanentError, TransientError) as error:
        structlog.get_logger().warning("view not made", what=what, error=str(error))
