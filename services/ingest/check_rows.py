"""Check the rows in the warehouse, record the refused ones, and stage the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.ingest.inspect_head import Layout
from services.ingest.row_rules import checked_columns, rules
from services.shared.contract.feed import Feed
from services.shared.contract.order import METADATA
from services.shared.errors import PermanentError
from services.shared.load import Load
from services.shared.sql import Templates
from services.shared.tables import table
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class Counts:
    rows: int
    rejected: int
    deletes: int
    """Among the rows that passed."""


@dataclass(frozen=True)
class Tables:
    """Full names, dataset included."""

    raw: str
    checked: str
    staging: str
    rejected: str


def check_rows(
    warehouse: Warehouse, feed: Feed, load: Load, tables: Tables, layout: Layout, created: datetime, again: str | None
) -> Counts:
    """Type and check every row of the raw table into the checked table.

    Raises Permanent("too_many_bad_rows") past the feed's tolerance, with the reasons and an example of each;
    the refused rows are recorded either way. `again`: the message's id if it is a replay or a backfill's; an earlier
    check, perhaps by another contract, may have recorded rows of this load, which are forgotten.
    """
    parameters = {
        "created": ("TIMESTAMP", created),
        "generation": ("INT64", load.source.generation),
        "object": ("STRING", load.source.uri),
        "load_id": ("STRING", load.load_id),
    }
    if feed.delete:
        parameters["delete_marker"] = ("STRING", feed.delete.equals)
    sql = _SQL.render(
        "check_rows.sql",
        checked=tables.checked,
        raw_table=tables.raw,
        columns=checked_columns(feed),
        rules=list(rules(feed, layout)),
        metadata=METADATA,
        delete_column=feed.delete.column if feed.delete else None,
        marker=feed.delete.column if feed.delete and layout.has_delete_column else None,
    )
    warehouse.create_table_once(f"check-{load.load_id}", tables.checked, sql, parameters)
    (counted,) = warehouse.query(_SQL.render("count_rows.sql", checked=tables.checked))
    counts = Counts(rows=counted["total"], rejected=counted["bad"], deletes=counted["deletes"])
    if counts.rejected or again is not None:
        _record(warehouse, load, tables, again, counts.rejected)
        if not feed.bad_rows.tolerates(counts.rejected, counts.rows):
            raise PermanentError("too_many_bad_rows", _explain(warehouse, feed, tables, counts))
    return counts


def stage_rows(warehouse: Warehouse, load: Load, tables: Tables) -> None:
    """Publish the good rows under the staging table's final name, then drop what led to it."""
    sql = _SQL.render("stage_rows.sql", staging=tables.staging, checked=tables.checked)
    warehouse.create_table_once(f"stage-{load.load_id}", tables.staging, sql)
    drop_intermediate_tables(warehouse, tables)


def drop_intermediate_tables(warehouse: Warehouse, tables: Tables) -> None:
    """Drop what led to the staging table."""
    warehouse.drop_table(tables.checked)
    warehouse.drop_table(tables.raw)


def _record(warehouse: Warehouse, load: Load, tables: Tables, again: str | None, rejected: int) -> None:
    if not warehouse.table_exists(tables.rejected):  # creating it takes a right on the dataset, ledger included
        warehouse.create_table(table(warehouse.client.project, "rejected_rows"))
    # To replace rows is rare, and best: BigQuery lets few statements that change rows wait for a table.
    is_recorded = again is not None and _is_recorded(warehouse, load, tables)
    if not rejected and not is_recorded:
        return
    template = "replace_rejected.sql" if is_recorded else "record_rejected.sql"
    sql = _SQL.render(template, rejected=tables.rejected, checked=tables.checked)
    parameters = {
        "feed": ("STRING", load.feed),
        "bucket": ("STRING", load.source.bucket),
        "object": ("STRING", load.source.name),
        "generation": ("INT64", load.source.generation),
        "load_id": ("STRING", load.load_id),
    }
    # Inserts do not conflict on BigQuery: deliveries of one message that overlap share the job instead.
    warehouse.create_table_once(
        f"reject-{load.load_id}", tables.rejected, sql, parameters, idempotency_key=again or ""
    )


def _is_recorded(warehouse: Warehouse, load: Load, tables: Tables) -> bool:
    sql = _SQL.render("count_recorded.sql", rejected=tables.rejected)
    (counted,) = warehouse.query(sql, {"load_id": ("STRING", load.load_id)})
    return bool(counted["recorded"])


def _explain(warehouse: Warehouse, feed: Feed, tables: Tables, counts: Counts) -> str:
    reasons = warehouse.query(_SQL.render("count_reasons.sql", checked=tables.checked))
    listed = "; ".join(f"{row['why']} ({row['n']} rows), such as {row['example']}" for row in reasons)
    return (
        f"{counts.rejected} of {counts.rows} rows failed their checks, "
        f"the feed tolerates {feed.bad_rows.at_most}: {listed}"
    )
