"""A command also works before the first load, when datasets are missing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dropmerge.operations.connection import Connection
from services.shared.errors import NotFoundError


def test_a_staging_dataset_that_is_not_there_has_no_tables() -> None:
    def missing(*_: Any) -> list[str]:
        raise NotFoundError("not_found", "Not found: Dataset p:staging")

    connection = Connection("p", Path("feeds"))
    vars(connection)["warehouse"] = SimpleNamespace(list_tables=missing)
    assert connection.staging_tables() == []
