"""What the MERGE that took a load did: when, with which others, to how many rows; and the jobs to open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.events import MAX_CLOCK_SKEW
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

_MAX_JOBS = 10_000
_MAX_OTHERS = 100


@dataclass(frozen=True)
class Merge:
    """One MERGE, as the ledger has it."""

    id: str
    at: datetime
    contract: str | None
    """The fingerprint of the contract by which the files were read; None where an earlier release merged them."""
    load_ids: list[str]
    """All that it took, sorted."""


def find_merge(connection: Connection, load: Load) -> Merge | None:
    """None where the ledger does not hold the load for the main table of now."""
    parameters = {"feed": ("STRING", load.feed), "load_id": ("STRING", load.load_id)}
    entries = connection.ledger("merge_of_load.sql", parameters)
    if not entries:
        return None
    first = entries[0]
    return Merge(first["merge_id"], first["merged_at"], first["contract"], [entry["load_id"] for entry in entries])


def is_lost(connection: Connection, load: Load) -> bool:
    """Whether the ledger holds the load for another main table only, such as one that was dropped."""
    rows = connection.ledger("merged_among.sql", {"load_ids": ("STRING", load.load_id)})
    return any(not row["is_current"] for row in rows)


def merged_together(connection: Connection, merge: Merge, load: Load) -> list[str]:
    """The first hundred loads beside this one, by their objects where the journal knows them."""
    ids = [load_id for load_id in merge.load_ids if load_id != load.load_id][:_MAX_OTHERS]
    if not ids:
        return []
    rows = connection.query("objects_of_loads.sql", _loads(ids, load))
    names = {row["load_id"]: str(ObjectGeneration(row["bucket"], row["object"], row["generation"])) for row in rows}
    return [names.get(load_id, load_id) for load_id in ids]


def find_jobs(connection: Connection, load: Load, merge: Merge | None, until: datetime) -> list[Any]:
    """The load's own jobs and its MERGE, oldest first, found by their ids. BigQuery keeps jobs for six months
    (https://cloud.google.com/bigquery/docs/managing-jobs)."""
    from google.api_core.exceptions import Forbidden

    wanted = [load.load_id, *([f"-{merge.id}-"] if merge else [])]
    try:
        listed = connection.warehouse.client.list_jobs(
            all_users=True,
            max_results=_MAX_JOBS,
            min_creation_time=load.source.created - MAX_CLOCK_SKEW,
            max_creation_time=until + timedelta(minutes=1),
        )
        return [job for job in listed if any(part in (job.job_id or "") for part in wanted)][::-1]
    except Forbidden:
        return []


def row_counts(connection: Connection, merge: Merge, load: Load, jobs: Sequence[Any]) -> dict[str, int]:
    """Of the whole MERGE: rows staged, deletes among them, and as BigQuery counts them inserted and updated.

    An applied delete is an update, or inserts a tombstone. `ignored` were stale: the table, or the same MERGE, had a
    newer row for the key, or this very one; `lost_in_file` of them lost to a row of their own file. Empty where
    neither the journal nor BigQuery has them; inserted and updated alone where the journal has lost a load.
    """
    feed = connection.feeds.get(load.feed)
    if feed and feed.mode == "append":
        return _appended(connection, merge, load)
    changed = _recorded(connection, merge, load) or _counted(connection, merge, jobs)
    if changed is None:
        return {}
    inserted, updated = changed
    checked = _checked(connection, merge, load)
    if len(checked) < len(merge.load_ids):
        return {"inserted": inserted, "updated": updated}
    staged = sum(one["rows"] - one["rejected_rows"] for one in checked)
    lost = sum(one.get("lost_in_file", 0) for one in checked)
    return {
        "staged": staged,
        "deletes": sum(one.get("deletes", 0) for one in checked),
        "inserted": inserted,
        "updated": updated,
        "ignored": staged - inserted - updated,
        **({"lost_in_file": lost} if lost else {}),
    }


def _recorded(connection: Connection, merge: Merge, load: Load) -> tuple[int, int] | None:
    """As merge wrote it to the journal; None where it could not, or is of an earlier release."""
    parameters = {**_loads(merge.load_ids, load), "merge_id": ("STRING", merge.id)}
    rows = connection.query("merged_detail.sql", parameters)
    found = json.loads(rows[0]["detail"]) if rows else {}
    return (found["inserted"], found["updated"]) if "inserted" in found else None


def _counted(connection: Connection, merge: Merge, jobs: Sequence[Any]) -> tuple[int, int] | None:
    """As BigQuery has it of the MERGE's job."""
    done = [job for job in jobs if f"-{merge.id}-" in job.job_id and not job.error_result]
    return connection.warehouse.rows_changed(done[0].job_id) if done else None


def _appended(connection: Connection, merge: Merge, load: Load) -> dict[str, int]:
    """Each row that passed is inserted, whatever its job says of one that was repeated."""
    checked = _checked(connection, merge, load)
    staged = sum(one["rows"] - one["rejected_rows"] for one in checked)
    return {"staged": staged, "inserted": staged} if len(checked) == len(merge.load_ids) else {}


def _checked(connection: Connection, merge: Merge, load: Load) -> list[dict[str, int]]:
    """The counts of each load that the journal has."""
    rows = connection.query("checked_counts.sql", _loads(merge.load_ids, load))
    return [json.loads(row["detail"]) for row in rows]


def _loads(load_ids: Sequence[str], load: Load) -> dict[str, tuple[str, Any]]:
    # What is merged together was dropped within days.
    since = load.source.created - timedelta(days=7)
    return {"load_ids": ("STRING", ",".join(load_ids)), "since": ("TIMESTAMP", since)}
