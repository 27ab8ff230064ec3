"""Check the rows in the warehouse, and stage the good ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from services.ingest.duplicate_keys import count_duplicate_keys
from services.ingest.formats import format_of
from services.ingest.match_header import Layout
from services.ingest.record_rejected import record_rejected
from services.ingest.row_rules import Rule, checked_columns, rules, steps
from services.ingest.row_texts import asides, marker, parameters
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.order import RESCUED, metadata
from services.shared.datasets import CONTRACT_LABEL, GENERATION_LABEL
from services.shared.errors import PermanentError
from services.shared.load import Load
from services.shared.sql import Templates
from services.shared.warehouse import Cost, Parameters, Warehouse

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class Counts:
    rows: int
    rejected: int
    deletes: int
    """Among the rows that passed."""
    duplicate_keys: int = 0
    """How many times rows that passed share key and version and differ."""
    lost: int = 0
    """Rows that passed and lose to another of the file with their key."""
    commonest_reason: str | None = None
    """Of those that most rejected rows have, the first by name; None where all passed."""
    cost: Cost = field(default_factory=Cost)
    """Of the check itself."""


class TooManyBadRows(PermanentError):
    """The file has more bad rows than its feed tolerates."""

    def __init__(self, detail: str, counts: Counts) -> None:
        super().__init__("too_many_bad_rows", detail)
        self.counts = counts


def check_rows(
    warehouse: Warehouse, feed: Feed, load: Load, tables: Tables, layout: Layout, created: datetime, again: str | None
) -> Counts:
    """Type and check every row of the raw table into the checked table.

    `again`: the message's id if it is a replay's or a backfill's.

    Raises: TooManyBadRows past the feed's tolerance, with how many rows each reason has; the refused rows are recorded
    either way.
    """
    sql = check_statement(feed, tables, layout, labels=_labels(warehouse, feed, load))
    values = check_parameters(feed, load, layout, created)
    cost = warehouse.create_table_once(
        f"check-{load.load_id}", tables.checked, sql, values, max_bytes_billed=feed.max_bytes_billed
    )
    counts = replace(_count(warehouse, feed, tables, layout), cost=cost)
    if counts.rejected or again is not None:
        record_rejected(warehouse, load, tables, again, counts.rejected)
        if not feed.bad_rows.tolerates(counts.rejected, counts.rows):
            raise TooManyBadRows(_explain(warehouse, feed, tables, counts), counts)
    return counts


def _count(warehouse: Warehouse, feed: Feed, tables: Tables, layout: Layout) -> Counts:
    sql = _SQL.render("count_rows.sql", checked=tables.checked, key=feed.key, shared=feed.of_every_row)
    (counted,) = warehouse.query(sql)
    duplicate_keys = count_duplicate_keys(warehouse, feed, tables, layout, counted["repeated"])
    return Counts(
        counted["total"],
        counted["bad"],
        counted["deletes"],
        duplicate_keys,
        counted["lost"],
        counted["commonest_reason"],
    )


def check_statement(
    feed: Feed,
    tables: Tables,
    layout: Layout,
    also: Sequence[Rule] = (),
    labels: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Makes the checked table of a raw table with this layout.

    `also`: rules beside the contract's, by which whoever looks for rows marks them. `labels`: of the table.
    """
    delete_column = feed.delete.column if feed.delete else None
    checked = checked_columns(feed, layout)
    return _SQL.render(
        "check_rows.sql",
        checked=tables.checked,
        labels=labels,
        rows=format_of(feed).rows(tables.raw, layout.columns, feed, layout.fields),
        kept=format_of(feed).kept(feed),
        passed=format_of(feed).passed(feed),
        broken=format_of(feed).BROKEN,
        columns=checked,
        steps=steps(checked),
        rules=[*rules(feed, layout), *also],
        metadata=metadata(feed),
        rescued=RESCUED.name if RESCUED in metadata(feed) else None,
        beyond=format_of(feed).rescued(feed),
        asides=asides(feed, layout),
        delete_column=delete_column,
        marker=marker(feed, layout),
    )


def check_parameters(feed: Feed, load: Load, layout: Layout, created: datetime) -> Parameters:
    """For that statement."""
    return {
        "created": ("TIMESTAMP", created),
        "generation": ("INT64", load.source.generation),
        "object": ("STRING", load.source.uri),
        "load_id": ("STRING", load.load_id),
        **parameters(feed, layout),
    }


def stage_rows(warehouse: Warehouse, feed: Feed, load: Load, tables: Tables, rejected: int) -> None:
    """The good rows under the staging table's final name; what led to it is dropped.

    `rejected`: how many rows of the checked table are refused. Where none is, it becomes the staging table as it is:
    merge names the columns that it reads, but where those of a file are added. A snapshot's needs its labels, and that
    a rename keeps them is not documented.
    """
    if rejected or feed.unknown_columns == "add" or feed.mode == "snapshot":
        labels = _labels(warehouse, feed, load)
        sql = _SQL.render("stage_rows.sql", staging=tables.staging, checked=tables.checked, labels=labels)
        warehouse.create_table_once(f"stage-{load.load_id}", tables.staging, sql)
        warehouse.drop_table(tables.checked)
    else:
        _rename(warehouse, load, tables)
    warehouse.drop_table(tables.raw)


def _rename(warehouse: Warehouse, load: Load, tables: Tables) -> None:
    name = tables.staging.rpartition(".")[2]
    try:
        warehouse.query(
            _SQL.render("rename_checked.sql", checked=tables.checked, name=name), name=f"stage-{load.load_id}"
        )
    except PermanentError:
        # Deliveries of one load may overlap, and nobody says how BigQuery words that a name is taken by now: whichever
        # was first, its rows are these.
        if not warehouse.table_exists(tables.staging):
            raise
        warehouse.drop_table(tables.checked)


def _labels(warehouse: Warehouse, feed: Feed, load: Load) -> dict[str, str]:
    """Of the staging table."""
    generation = {GENERATION_LABEL: str(load.source.generation)} if feed.mode == "snapshot" else {}
    return {**warehouse.labels(feed.name), CONTRACT_LABEL: feed.fingerprint, **generation}


def drop_intermediate_tables(warehouse: Warehouse, tables: Tables) -> None:
    """Drop what led to the staging table."""
    warehouse.drop_table(tables.checked)
    warehouse.drop_table(tables.raw)


def _explain(warehouse: Warehouse, feed: Feed, tables: Tables, counts: Counts) -> str:
    reasons = warehouse.query(_SQL.render("count_reasons.sql", checked=tables.checked))
    listed = ", ".join(f"{row['n']} {row['why']}" for row in reasons)
    tolerated = f"the feed tolerates {feed.bad_rows.at_most}"
    return f"{counts.rejected} of {counts.rows} rows failed their checks, {tolerated}: {listed}"
