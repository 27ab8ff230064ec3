"""The tables of the dataset `ops`, one JSON file each. Terraform reads the same files."""

from __future__ import annotations

import json
from pathlib import Path

from google.cloud.bigquery import SchemaField, Table, TimePartitioning

from services.shared.datasets import OPS

_DAY_MS = 24 * 3600 * 1000


def table_names() -> list[str]:
    """All of them, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.json"))


def table(project: str, name: str, full_name: str | None = None) -> Table:
    """The table of a file's name, ready to be created; or one like it."""
    definition = json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    made = Table(
        full_name or f"{project}.{OPS}.{name}", [SchemaField.from_api_repr(field) for field in definition["schema"]]
    )
    made.clustering_fields = definition["clustering"]
    if definition["partition_by_day"]:
        days = definition.get("keep_days")
        made.time_partitioning = TimePartitioning(
            field=definition["partition_by_day"], expiration_ms=days * _DAY_MS if days else None
        )
    return made
