"""What a load's MERGE costs, by the model of docs/costs.md."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.costs import QUERY_TIB, TIB, billed_of_merge


@dataclass(frozen=True)
class Price:
    bytes_read: float
    """The main table's, and twice the file's: for its keys, then for its rows. Of a feed that keeps versions that of
    their table, and the file once more, too."""
    bytes_billed: float
    """With what BigQuery bills at least for each table: those of lock and ledger too."""
    dollars: float
    """At the list price on demand."""
    counted_by: str
    """`model`, or `dry_run` where BigQuery said itself what it would read."""


def price_of_merge(main_bytes: float, file_bytes: float, versions_bytes: float | None = None) -> Price:
    """Of a file alone in its MERGE. `main_bytes`: the main table's size, all of which is taken to be read, as is the
    table of versions; None where the feed keeps none."""
    billed = billed_of_merge(main_bytes, file_bytes, versions_bytes=versions_bytes)
    of_versions = 0 if versions_bytes is None else versions_bytes + file_bytes
    return Price(main_bytes + 2 * file_bytes + of_versions, billed, _dollars(billed), "model")


def price_of_dry_run(bytes_read: float) -> Price:
    """Of a MERGE that BigQuery says it would read so much for."""
    # A dry run knows no minimum for each table.
    billed = max(bytes_read, billed_of_merge(0, 0))
    return Price(bytes_read, billed, _dollars(billed), "dry_run")


def _dollars(billed: float) -> float:
    return billed / TIB * QUERY_TIB
