"""How many jobs and calls of Google's APIs a file takes, and a group of loads, whatever feed it is of.

The local warehouse has done a job when it answers that it has started. BigQuery is asked again until a job is done:
each such call comes on top of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.harness.faults.calls import Call
from tests.harness.faults.cloud import Faulty
from tests.harness.pipeline import HEADER, row
from tests.harness.statements.feeds import features, sample
from tests.programs.bench.group import merge_together

FEEDS = {"accounts": "upsert", "add": "columns added by files", "snapshot": "snapshot", "versions": "history"}
"""By name, what a feed stands for."""


def count_calls(faulty: Faulty, feeds: Sequence[str], groups: Sequence[int]) -> list[dict[str, Any]]:
    """Of each of these `FEEDS` and size of a group: calls by what they are, of ingest for all files and of merge."""
    found = []
    for feed in feeds:
        # A service that has not seen the feed before looks more up.
        faulty.pipeline.drop("calls-warm", _file(feed, "warm"), feed)
        faulty.pipeline.wait_until_idle()
        for group in groups:
            files = {f"calls-{group}-{n}": _file(feed, f"{group}-{n}") for n in range(group)}
            passed = merge_together(faulty, feed, files)
            counts = {"ingest": _count(passed.ingest), "merge": _count(passed.merge)}
            found.append({"feed": feed, "group": group, **counts})
    return found


def _file(feed: str, key: str) -> str | bytes:
    if feed == "accounts":
        return HEADER + row(f"calls-{key}")
    return sample(features()[feed], "plain", bad=False)


def _count(calls: Sequence[Call]) -> dict[str, int]:
    return {
        "query_jobs": sum(one.starts_query for one in calls),
        "load_jobs": sum(one.step == "load" for one in calls),
        "merges": sum(one.step == "merge" for one in calls),
        "bigquery": sum(one.api == "bigquery" for one in calls),
        "storage": sum(one.api == "storage" for one in calls),
        "publish": sum(one.api == "publish" for one in calls),
        "calls": len(calls),
    }
