"""`dropmerge status` shows one line per feed, once or until it is stopped."""

import signal
import subprocess

from tests.harness.commands import Commands
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all


def test_status_shows_one_line_per_feed(pipeline: Pipeline, commands: Commands) -> None:
    """The line has the last file, what waits and since when, what was merged lately, and what was rejected."""
    before = commands.json("status")["feeds"]["tolerant"]
    bad = "status-bad,a,high,1.5,2025-01-01T00:00:00Z,U\n"
    pipeline.drop("status-1.csv", HEADER + row("status-1") + bad, feed="tolerant")
    pipeline.wait_until_idle()
    with paused_subscription(pipeline, "ingest") as path:
        first = pipeline.drop("status-2.csv", HEADER + row("status-2"), feed="tolerant")
        last = pipeline.drop("status-3.csv", HEADER + row("status-3"), feed="tolerant")
        answer = commands.json("status")
        waiting = commands.run("wait", "--timeout", 0, code=1).stderr
        messages = pull_all(pipeline, path, 2)
    for message in messages:
        pipeline.publish("file-arrived", message.data, dict(message.attributes))
    now = answer["feeds"]["tolerant"]
    grown = {"merged": 1, "merged_last_hour": 1, "rejected_rows": 1, "in_flight": 2}
    assert {name: now[name] - before[name] for name in grown} == grown
    assert first == f"gs://landing/{now['oldest_waiting']['object']}#{now['oldest_waiting']['generation']}"
    assert last == f"gs://landing/{now['last_file']['object']}#{now['last_file']['generation']}"
    assert answer["dead_letters"] == sum(
        pipeline.connection.undelivered(f"{service}-dead-letter") for service in ("ingest", "merge")
    )
    assert f"{first}: unknown" in waiting
    assert "2 files in flight: not arrived" in waiting
    assert "`dropmerge backfill gs://landing/incoming/` announces these files at once" in waiting
    pipeline.wait_until_idle()
    text = commands.run("status").stdout
    assert "tolerant" in text
    assert "status-3.csv" in text


def test_status_watches_until_ctrl_c(commands: Commands) -> None:
    """It ends in order, with exit code 0."""
    with commands.start("status", "--watch", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while b"feed" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 0
