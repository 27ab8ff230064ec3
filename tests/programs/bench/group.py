"""Files that are merged together, and the calls that passed the proxies for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.harness.faults.calls import Call
from tests.harness.faults.cloud import Faulty
from tests.harness.subscription import paused_subscription, wait_until


@dataclass(frozen=True)
class Passed:
    """Calls in their order, of each service."""

    ingest: Sequence[Call]
    merge: Sequence[Call]


def merge_together(faulty: Faulty, feed: str, files: Mapping[str, str | bytes]) -> Passed:
    """Drop these files, name to content, of one feed; merge gets no message before all are staged, so that one MERGE
    takes them, as it does after the contract's `merge_every`."""
    pipeline, calls = faulty.pipeline, faulty.script.calls
    with paused_subscription(pipeline, "merge"):
        began = len(calls)
        for name, data in files.items():
            pipeline.drop(name, data, feed)
        wait_until(lambda: pipeline.connection.undelivered("merge") == len(files), "staged")
        wait_until(lambda: pipeline.connection.undelivered("ingest") == 0, "acknowledged")
        staged = len(calls)
    pipeline.wait_until_idle()
    return Passed(calls[began:staged], calls[staged:])
