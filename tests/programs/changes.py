"""Runs random histories in which contracts change, held against the oracle: `python -m tests.programs.changes`.

G1, G9. A local cloud of its own; both services run within this process, so that a deployment takes no time.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.harness.changes.history import Counts, History, histories, run
from tests.harness.changes.world import World
from tests.harness.cloud import running
from tests.harness.feeds import write_feeds

_EVERY = 100


def main() -> None:
    """Exits 1 where a table was not the oracle's."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--histories", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=1)
    given_ = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder, write_feeds(folder / "feeds")) as pipeline:
            counts, mismatches = search(World(pipeline), given_.seed, given_.histories)
    for one in mismatches:
        print(one)
    print(
        f"{counts.histories} histories, {counts.files} files, {counts.deployments} deployments, "
        f"{counts.read_anew} times read anew; ends: {dict(counts.ends)}; {len(mismatches)} mismatches"
    )
    raise SystemExit(1 if mismatches else 0)


def search(world: World, number: int, examples: int) -> tuple[Counts, list[str]]:
    """Run so many histories that the seed decides. Mismatches are collected, not raised."""
    counts, mismatches, started = Counts(), list[str](), time.monotonic()

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(histories())
    def one(history: History) -> None:
        try:
            run(world, history, counts)
        except Exception as error:
            mismatches.append(f"{error!r}\n{history}")
        if counts.histories and counts.histories % _EVERY == 0:
            print(
                f"{counts.histories} in {time.monotonic() - started:.0f} s, {len(mismatches)} mismatches", flush=True
            )

    one()
    return counts, mismatches


if __name__ == "__main__":
    main()
