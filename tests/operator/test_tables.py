"""`dropmerge status`, `rejected`, `backfill`, `purge-tombstones`, `drop`, `wait`, each as typed."""

import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

from deploy.topology import ROOT
from services.ingest.notification import read_notification
from services.shared.messages.push import PushMessage
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription
from tests.operator.conftest import Commands, pull_all


def test_status_tells_a_feed_a_line(pipeline: Pipeline, commands: Commands) -> None:
    """The last file, what waits and since when, what was merged lately, what was refused."""
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


def test_rejected_rows_are_exported_mended_and_dropped_again(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """By feed, file and reason; the file has the feed's own header, and its mended rows are merged."""
    bad = '"rej, ""1""",a,high,1.5,2025-01-01T00:00:00Z,U\nrej-2,a,700,1.5,yesterday,D\n'
    pipeline.drop("rej.csv", HEADER + row("rej-0") + bad, feed="tolerant")
    pipeline.wait_until_idle()
    narrow = ("rejected", "--feed", "tolerant", "--object", "*/rej.csv")
    found = commands.json(*narrow)
    assert [one["row"]["customer_id"] for one in found] == ['rej, "1"', "rej-2"]
    assert [one["reasons"] for one in found] == [["not_an_integer: credit_score"], ["not_a_timestamp: last_modified"]]
    assert len(commands.json(*narrow, "--reason", "not_a_timestamp")) == 1
    text = commands.run(*narrow).stdout
    assert "not_an_integer: credit_score" in text
    file = tmp_path / "mend.csv"
    said = commands.run(*narrow, "--csv", file).stdout
    assert "row 2: not_an_integer: credit_score" in said
    assert file.read_text() == HEADER + bad, "as it was"
    assert "there already" in commands.run(*narrow, "--csv", file, code=2).stderr
    file.write_text(file.read_text().replace("high", "655").replace("yesterday", "2025-01-01T00:00:00Z"))
    commands.run("drop", file, "--feed", "tolerant")
    commands.run("wait", "--timeout", 60)
    (merged,) = pipeline.connection.rows(
        "SELECT credit_score FROM `main.tolerant_current` WHERE customer_id = @id", {"id": ("STRING", 'rej, "1"')}
    )
    assert merged["credit_score"] == 655


def test_backfill_finds_what_no_notification_told_of(pipeline: Pipeline, commands: Commands) -> None:
    """Only what a feed wants and the ledger does not know; the message is Cloud Storage's; repeating is harmless."""
    prefix = "gs://landing/incoming/accounts/back"
    known = pipeline.drop("back-0.csv", HEADER + row("back-0", 400))
    pipeline.wait_until_idle()
    with paused_subscription(pipeline, "ingest") as path:
        uris = [pipeline.drop(f"back-{n}.csv", HEADER + row(f"back-{n}", 400 + n)) for n in (1, 2, 3)]
        originals = {m.attributes["objectId"]: m for m in pull_all(pipeline, path, 3)}
        would = commands.json("backfill", prefix, "--dry-run")
        assert [f"gs://{one['bucket']}/{one['object']}#{one['generation']}" for one in would] == uris
        assert pipeline.connection.undelivered("ingest") == 0
        commands.run("backfill", prefix, "--rate", 100, "--yes")
        for message in pull_all(pipeline, path, 3):
            original = originals[message.attributes["objectId"]]
            assert dict(message.attributes).items() - dict(original.attributes).items() >= {
                ("announced_by", "backfill")
            }
            read = [
                read_notification(PushMessage(one.data, dict(one.attributes), "", "", 1))
                for one in (message, original)
            ]
            assert replace(read[0], event_time=read[1].event_time) == read[1]
    assert pipeline.explain(known)["state"] == "merged"
    commands.run("backfill", prefix, "--yes")
    commands.run("backfill", prefix, "--yes")
    pipeline.wait_until_idle()
    assert pipeline.scores([f"back-{n}" for n in range(4)]) == {f"back-{n}": 400 + n for n in range(4)}
    assert commands.json("backfill", prefix, "--yes") == []
    assert "404" in commands.run("backfill", "gs://no-such-bucket/x", "--yes", code=1).stderr


def test_purge_tombstones_keeps_the_young_and_refuses_a_short_horizon(pipeline: Pipeline, commands: Commands) -> None:
    """Only deletes merged before the horizon go; one that dead letters could outlive is refused."""
    old = pipeline.drop("purge-1.csv", HEADER + row("purge-old", operation="D") + row("purge-row"))
    pipeline.wait_until_idle()
    pipeline.drop("purge-2.csv", HEADER + row("purge-young", operation="D"))
    pipeline.wait_until_idle()
    pipeline.connection.rows(
        "UPDATE `ops.ledger` SET merged_at = TIMESTAMP_SUB(merged_at, INTERVAL 40 DAY) WHERE load_id = @id",
        {"id": ("STRING", pipeline.explain(old)["load_id"])},
    )
    assert commands.json("purge-tombstones", "--older-than", "32d", "--dry-run")["accounts"] == 1
    assert commands.json("purge-tombstones", "--older-than", "32d", "--yes")["accounts"] == 1
    left = pipeline.connection.rows(
        "SELECT customer_id FROM `main.accounts` WHERE STARTS_WITH(customer_id, 'purge-') ORDER BY customer_id"
    )
    assert [one["customer_id"] for one in left] == ["purge-row", "purge-young"]


def test_a_whole_feed_is_reloaded_from_the_archive(pipeline: Pipeline, commands: Commands) -> None:
    """As the runbook says: the same table, though an overwritten generation is long gone from the landing bucket."""
    old = pipeline.drop("reload.csv", "n,v\n1,1\n2,1\n", feed="reloaded")
    pipeline.wait_until_idle()
    pipeline.drop("reload.csv", "n,v\n2,2\n3,2\n", feed="reloaded")
    pipeline.wait_until_idle()
    table = "SELECT n, v, _generation FROM `main.reloaded` ORDER BY n"
    before = pipeline.connection.rows(table)
    assert pipeline.explain(old)["generation"] in {one["_generation"] for one in before}
    for statement in statements("A whole feed reloaded from the archive"):
        pipeline.connection.rows(statement.replace("FEED", "reloaded"))
    archive = "gs://archive/reloaded/"
    assert len(commands.json("backfill", archive, "--dry-run")) == 2
    commands.run("backfill", archive, "--yes")
    commands.run("wait")
    assert pipeline.connection.rows(table) == before
    assert commands.json("backfill", archive, "--yes") == []


def statements(heading: str) -> list[str]:
    """The SQL under a heading of the runbook."""
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    found: list[str] = re.findall(r"^    ((?:DROP|DELETE) .*);$", text.partition("\n## ")[0], re.MULTILINE)
    assert found
    return found
