"""The journal: append-only events about loads, for people. Nothing else reads it to decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from google.api_core import exceptions as google
from google.cloud import bigquery

SCHEMA = [
    bigquery.SchemaField("at", "TIMESTAMP", "REQUIRED"),
    bigquery.SchemaField("event", "STRING", "REQUIRED"),
    bigquery.SchemaField("service", "STRING", "REQUIRED"),
    bigquery.SchemaField("load_id", "STRING"),
    bigquery.SchemaField("feed", "STRING"),
    bigquery.SchemaField("bucket", "STRING"),
    bigquery.SchemaField("object", "STRING"),
    bigquery.SchemaField("generation", "INT64"),
    bigquery.SchemaField("detail", "STRING"),
]


class Journal:
    def __init__(self, client: bigquery.Client, dataset: str, service: str) -> None:
        self._client = client
        self._table = f"{client.project}.{dataset}.journal"
        self._service = service

    def record(self, event: str, about: Mapping[str, object], **detail: object) -> None:
        """One streamed row, no DML. A failure is logged and forgotten: a load never waits for its diary."""
        names = ("load_id", "feed", "bucket", "object", "generation")
        row = {
            "at": datetime.now(UTC).isoformat(),
            "event": event,
            "service": self._service,
            **{name: about.get(name) for name in names},
            "detail": json.dumps(detail, default=str),
        }
        try:
            try:
                self._append(row)
            except google.NotFound:
                self._client.create_table(bigquery.Table(self._table, schema=SCHEMA), exists_ok=True)
                self._append(row)
        except Exception as error:
            structlog.get_logger().warning("journal not written", error=str(error), journal_event=event)

    def _append(self, row: Mapping[str, object]) -> None:
        errors = self._client.insert_rows_json(self._table, [row], timeout=30.0)
        if errors:
            raise ValueError(str(errors))
