"""How long each step of a load takes, by the journal's events and the jobs that the warehouse lists."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import fmean
from typing import Any

from tests.harness.pipeline import Pipeline

STEPS: Mapping[str, str] = {
    "wait for ingest": "notification published → ingest has it",
    "pin": "→ the copy is made",
    "load": "→ the raw table is loaded",
    "check": "→ the job that checks all rows has ended",
    "count": "→ the checked rows are counted",
    "stage": "→ the staging table has its name, and merge its message",
    "wait for merge": "→ the job of the MERGE starts",
    "merge": "→ the job has ended, and the staging table is dropped",
}
_JOBS = 10_000
"""More than the local warehouse keeps. It lists a hundred where nobody asks for more, and has no second page."""
_EVENTS = "SELECT load_id, event, happened_at, detail FROM `ops.journal` ORDER BY happened_at"


def seconds_by_step(pipeline: Pipeline, load_ids: Sequence[str]) -> dict[str, float]:
    """The mean of these loads, all of which are merged."""
    events, merges = _events(pipeline)
    jobs = {job.job_id: job for job in pipeline.connection.warehouse.client.list_jobs(max_results=_JOBS)}
    moments = [list(_moments(one, events[one], merges[one], jobs)) for one in load_ids]
    steps = zip(*(pairwise(each) for each in moments), strict=True)
    return {
        name: fmean((end - begin).total_seconds() for begin, end in step)
        for name, step in zip(STEPS, steps, strict=True)
    }


def _events(pipeline: Pipeline) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, Any]]:
    """By load and name, the last of each; and by load the event of its MERGE, which may be that of a group."""
    events: dict[str, dict[str, Any]] = defaultdict(dict)
    merges = {}
    for row in pipeline.connection.rows(_EVENTS):
        events[row["load_id"]][row["event"]] = row
        if row["event"] == "merged":
            merges.update(dict.fromkeys(json.loads(row["detail"])["loads"], row))
    return events, merges


def _moments(
    load_id: str, events: Mapping[str, Any], merged: Mapping[str, Any], jobs: Mapping[str, Any]
) -> Iterator[datetime]:
    """When each of the steps begins, and the last ends."""
    yield datetime.fromisoformat(json.loads(events["arrived"]["detail"])["published_at"])
    yield from (events[name]["happened_at"] for name in ("arrived", "pinned", "loaded"))
    yield _job(jobs, f"dropmerge-check-{load_id}-").ended
    yield from (events[name]["happened_at"] for name in ("checked", "staged"))
    yield _job(jobs, f"dropmerge-merge-{json.loads(merged['detail'])['merge_id']}-").started
    yield merged["happened_at"]


def _job(jobs: Mapping[str, Any], begin: str) -> Any:
    (found,) = [job for job_id, job in jobs.items() if job_id.startswith(begin)]
    return found
