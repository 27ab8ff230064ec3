"""Makes a view, or gives one another query."""

from __future__ import annotations

from services.shared.sql import identifier, labels
from services.shared.warehouse import Warehouse


def replace_view(warehouse: Warehouse, name: str, query: str) -> None:
    """A view of this full name has the query afterwards.

    One that has it already is not touched by each process that starts: a statement that replaces it would drop what
    people have put on it, such as a description, and BigQuery bounds how often a table is changed
    (https://cloud.google.com/bigquery/quotas#standard_tables). Asking is free.
    """
    found = warehouse.find_table(name)
    if found is None or (found.view_query or "").strip() != query.strip():
        options = f"labels = {labels(warehouse.labels())}"
        warehouse.query(f"CREATE OR REPLACE VIEW {identifier(name)} OPTIONS ({options}) AS\n{query}")
