"""Ten thousand dead letters listed and replayed, timed: `python -m tests.programs.many_dead_letters`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.topology import ROOT
from localcloud.cloud import LocalCloud
from tests.harness.dead_letters import INGEST_DEAD_LETTERS, put_many, wait_for_the_table
from tests.harness.pipeline import Pipeline
from tests.harness.subscription import paused_subscription, pull_all


def main() -> None:
    """Print what it took; fail if a dead letter was lost, doubled or changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=8192, help="of each dead letter's data")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cloud = LocalCloud(Path(folder) / "state", environ={})
        cloud.up(0)
        try:
            _measure(Pipeline(cloud, ROOT / "deploy" / "feeds"), given.letters, given.bytes)
        finally:
            cloud.down()


def _measure(pipeline: Pipeline, count: int, size: int) -> None:
    none = _run(pipeline, "list with none", "dead-letters", "list", "--json")
    assert json.loads(none) == []
    data = put_many(pipeline, count, size)
    started = time.monotonic()
    wait_for_the_table(pipeline)
    print(f"{count} dead letters of {size} bytes, {count * size / 1e6:.0f} MB")
    print(f"{'in the table':15} {time.monotonic() - started:5.1f} s later")
    listed = json.loads(_run(pipeline, "list", "dead-letters", "list", "--json"))
    assert len({one["id"] for one in listed}) == len(listed) == count
    with paused_subscription(pipeline, "ingest") as path:
        replayed = json.loads(_run(pipeline, "replay", "dead-letters", "replay", "--all", "--yes", "--json"))
        assert sorted(replayed) == sorted(one["id"] for one in listed)
        found = pull_all(pipeline, path, count)
    assert {message.data for message in found} == data
    assert {message.attributes["replay_of"] for message in found} == set(replayed)
    assert pipeline.connection.undelivered(INGEST_DEAD_LETTERS) == 0
    ended = json.loads(_run(pipeline, "list --ended", "dead-letters", "list", "--ended", "--json"))
    assert {one["id"] for one in ended} == set(replayed)
    print("each was published once, whole, and none is left")


def _run(pipeline: Pipeline, what: str, *words: str) -> str:
    """What the command prints; says its time and its peak resident memory."""
    started = time.monotonic()
    line = [sys.executable, "-c", _MEASURED, *words, "--state", str(pipeline.cloud.state)]
    done = subprocess.run(line, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True, check=True)
    text, _, peak = done.stdout.rpartition("\n")
    print(f"{what:15} {time.monotonic() - started:5.1f} s, peak {int(peak) / 1024:4.0f} MB")
    return text


# Linux only. What getrusage() tells begins with the peak of the process that started this one.
_MEASURED = """
import atexit, re
from pathlib import Path
peak = lambda: re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
atexit.register(lambda: print("\\n" + peak(), end=""))
from dropmerge.__main__ import main
main()
"""

if __name__ == "__main__":
    main()
