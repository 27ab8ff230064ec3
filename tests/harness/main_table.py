"""Main and staging tables as a merge sees them, without a warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from google.cloud.bigquery import SchemaField, Table

from services.merge.follow import definition
from services.merge.main_table import MainTable
from services.merge.staged import Staged
from services.merge.statement import staging_name
from services.shared.contract.feed import Feed

CREATED = datetime(2025, 1, 1, tzinfo=UTC)


def main_table(feed: Feed) -> MainTable:
    """A feed's, as a merge makes it."""
    found = MainTable("a" * 32, CREATED, tuple(one.name for one in definition(feed)))
    return replace(found, versions=found if feed.history else None)


def staged(project: str, feed: Feed, load_ids: Iterable[str]) -> list[Staged]:
    """Loads that wait, by their ids."""
    return [Staged(load_id, staging_name(project, feed, load_id)) for load_id in load_ids]


def described(name: str, schema: Sequence[SchemaField], labels: Any = None) -> Table:
    """A table of this full name, as BigQuery describes one that is there."""
    project, dataset, table = name.split(".")
    return Table.from_api_repr(
        {
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "schema": {"fields": [one.to_api_repr() for one in schema]},
            "creationTime": str(int(CREATED.timestamp() * 1000)),
            "labels": dict(labels or {}),
        }
    )
