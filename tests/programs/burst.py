"""A burst on one feed and a file on another: `python -m tests.programs.burst --files 1000`.

Drops all files of one feed. Once each has a message that waits for merge, it drops one of another feed, and says when
that one was merged, when all were, and by how many MERGEs. Exits 1 when a file is missing from a table or a message
became a dead letter.

Merge gets no message before all wait: the local warehouse stages two or three files in a second, so that a burst would
come one by one, and merge would never have many at once.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription


def main(arguments: list[str] | None = None) -> int:
    """Prints what was found as JSON; on stderr, how far it is."""
    parser = argparse.ArgumentParser(prog="burst", description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="of the feed that is busy")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), write_feeds(Path(folder) / "feeds")) as one:
        found = measure(one, given.files)
    print(json.dumps(found, indent=2))
    return 0 if found["dead_letters"] == found["missing"] == 0 else 1


def measure(pipeline: Pipeline, files: int) -> dict[str, float]:
    """Seconds, the last two from the drop of the other feed's file; counts of files and MERGEs."""
    _merge(pipeline, "accounts", "first")
    _merge(pipeline, "tolerant", "first")
    began = time.monotonic()
    with paused_subscription(pipeline, "merge"):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: pipeline.drop(f"burst-{n}.csv", HEADER + row(f"burst-{n}", 500)), range(files)))
        _say(f"{files} files dropped")
        while (waiting := pipeline.connection.undelivered("merge")) < files:
            _say(f"{waiting} staged")
            time.sleep(10)
    staged = time.monotonic()
    pipeline.drop("beside.csv", HEADER + row("beside", 501), "tolerant")
    while not pipeline.scores(["beside"], "tolerant"):
        time.sleep(0.5)
    beside = time.monotonic()
    _say("the other feed's file is merged")
    pipeline.wait_until_idle(patience=3600)
    keys = [f"burst-{n}" for n in range(files)]
    merges = list(pipeline.connection.rows("SELECT DISTINCT merge_id FROM `ops.ledger` WHERE feed = 'accounts'"))
    return {
        "files": files,
        "seconds_until_all_are_staged": round(staged - began, 1),
        "seconds_until_the_other_feed_s_file_is_merged": round(beside - staged, 1),
        "seconds_until_all_are_merged": round(time.monotonic() - staged, 1),
        "merges_of_the_busy_feed": len(merges) - 1,
        "dead_letters": len(pipeline.dead_letters()),
        "missing": files - len(pipeline.scores(keys)),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _merge(pipeline: Pipeline, feed: str, key: str) -> None:
    pipeline.drop(f"{key}.csv", HEADER + row(key, 500), feed)
    pipeline.wait_until_idle()


if __name__ == "__main__":
    sys.exit(main())
