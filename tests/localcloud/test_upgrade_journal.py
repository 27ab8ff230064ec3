"""The journal of an earlier release becomes one of this release, with its events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from google.cloud.bigquery import Client, Table, TimePartitioning

from services.shared.journal import Journal
from services.shared.tables import table, table_names
from services.shared.upgrade_journal import upgrade_journal
from services.shared.warehouse import Warehouse
from tests.harness.statements.statements import EARLIER_JOURNAL
from tests.harness.warehouse import local_warehouse

_AT = "2026-01-02T03:04:05.678901+00:00"
_EVENTS: list[dict[str, object]] = [
    {"event": "discarded", "service": "console", "object": "a.csv", "generation": 5, "detail": '{"who": "ada"}'},
    {"event": "merged", "service": "merge", "load_id": "0123", "feed": "f", "bucket": "b", "object": "a.csv"},
]


def _of_an_earlier_release(client: Client) -> None:
    client.create_dataset("ops", exists_ok=True)
    journal = Table("local.ops.journal", EARLIER_JOURNAL)
    journal.time_partitioning = TimePartitioning(field="at")
    client.create_table(journal)
    assert client.insert_rows_json("local.ops.journal", [{"at": _AT, **one} for one in _EVENTS]) == []


def test_two_services_that_start_at_once_upgrade_it_once(tmp_path: Path) -> None:
    """Its events stay, each once, and new ones are written beside them."""
    with local_warehouse(tmp_path) as client:
        _of_an_earlier_release(client)
        warehouses = [Warehouse(client, 60.0) for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(upgrade_journal, warehouses))
        upgrade_journal(warehouses[0])
        Journal(client, "ingest").record("started", {})
        rows = list(client.query("SELECT * FROM ops.journal ORDER BY happened_at, event").result())
        tables = [one.table_id for one in client.list_tables("ops")]
        made = client.get_table("local.ops.journal")
    assert [(row["event"], row["object"], row["generation"], row["who"]) for row in rows] == [
        ("discarded", "a.csv", 5, "ada"),
        ("merged", "a.csv", None, None),
        ("started", None, None, None),
    ]
    assert rows[1]["load_id"] == "0123"
    assert {row["happened_at"] for row in rows[:2]} == {datetime.fromisoformat(_AT).astimezone(UTC)}
    assert tables == ["journal"]
    wanted = table("local", "journal")
    assert [(one.name, one.mode) for one in made.schema] == [(one.name, one.mode) for one in wanted.schema]
    assert made.time_partitioning == wanted.time_partitioning


def test_g9_each_table_of_ops_gains_the_columns_that_an_earlier_release_did_not_have(tmp_path: Path) -> None:
    """Whoever starts first adds them."""
    with local_warehouse(tmp_path) as client:
        warehouse = Warehouse(client, 60.0)
        warehouse.create_dataset("ops")
        for name in table_names():
            wanted = table("local", name)
            # BigQuery adds none that is REQUIRED: these were there from the beginning.
            earlier = [one for one in wanted.schema if one.mode == "REQUIRED"] or wanted.schema[:1]
            client.create_table(Table(wanted.reference, earlier))
            warehouse.create_table(wanted)
            found = client.get_table(wanted.reference)
            columns = [(one.name, one.mode) for one in found.schema]
            assert sorted(columns) == sorted((one.name, one.mode) for one in wanted.schema), name
