"""A command also works before the first load, when datasets are missing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dropmerge.operations.connection import Connection
from services.shared.errors import NotFoundError


def test_a_link_to_a_job_names_the_place_of_the_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    connection = Connection("p", Path("feeds"))
    vars(connection)["warehouse"] = SimpleNamespace(client=SimpleNamespace(location="europe-west1"))
    assert "&j=bq:europe-west1:one&" in connection.job_link("one")


def test_a_staging_dataset_that_is_not_there_has_no_tables() -> None:
    def missing(*_: Any) -> list[str]:
        raise NotFoundError("not_found", "Not found: Dataset p:staging")

    connection = Connection("p", Path("feeds"))
    vars(connection)["warehouse"] = SimpleNamespace(list_tables=missing)
    assert connection.staging_tables() == []
