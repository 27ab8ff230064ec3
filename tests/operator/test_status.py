"""`dropmerge status` shows one line per feed, once or until it is stopped."""

import signal
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from dropmerge.operations.loads.events import journal_states, unended_states
from dropmerge.operations.loads.find_file import find_file
from dropmerge.operations.loads.status import statuses_of
from dropmerge.operations.status.failures import stuck
from services.shared.generation import ObjectGeneration
from services.shared.journal import Journal
from services.shared.load import Load
from tests.harness.commands import Commands
from tests.harness.dead_letters import MERGE_DEAD_LETTERS, empty_dead_letters, put
from tests.harness.objects import put_objects
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all


@pytest.fixture(scope="module", autouse=True)
def no_dead_letters_of_others(pipeline: Pipeline) -> None:
    """One that waits decides the state of its feed."""
    empty_dead_letters(pipeline)


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
    grown = {"merged": 1, "merged_today": 1, "merged_last_hour": 1, "rejected_rows": 1, "in_flight": 2}
    assert {name: now[name] - before[name] for name in grown} == grown
    assert first == f"gs://landing/{now['oldest_waiting']['object']}#{now['oldest_waiting']['generation']}"
    assert last == f"gs://landing/{now['last_file']['object']}#{now['last_file']['generation']}"
    assert answer["dead_letters"] == sum(
        pipeline.connection.undelivered(f"{service}-dead-letter") for service in ("ingest", "merge")
    )
    assert (now["state"], answer["messages_in_flight"]) == ("BUSY", 2)
    assert 0 < now["p95_seconds"] < 1000
    assert {one["state"] for one in answer["services"].values()} == {"OK"}
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


def test_dead_letters_that_wait_are_apart_from_those_that_were(pipeline: Pipeline, commands: Commands) -> None:
    """By feed, with one line for those that name none. Discarded ones count as ever; no staging table of one waits."""
    before = commands.json("status")["feeds"]["tolerant"]
    pipeline.drop("copy.csv", HEADER, feed="acounts")
    with paused_subscription(pipeline, "merge") as path:
        pipeline.drop("letter.csv", HEADER + row("letter"), feed="tolerant")
        (message,) = pull_all(pipeline, path, 1)
        assert commands.json("status")["feeds"]["tolerant"]["staged"] == 1
        put(pipeline, {**message.attributes, "dropmerge_reason": "unknown_feed"}, MERGE_DEAD_LETTERS, message.data)
        answer = commands.json("status")
    now, no_feed = answer["feeds"]["tolerant"], answer["no_feed"]
    assert (now["state"], now["dead_letters_waiting"], now["staged"]) == ("DEAD", 1, 0)
    assert (no_feed["reasons"], no_feed["example"]) == ({"no_feed": 1}, "incoming/acounts/copy.csv")
    urgent = [one for one in answer["attention"] if one["what"] == "dead_letters"]
    assert urgent[0]["sentence"].startswith("(no feed): 1 dead letter (no_feed), the oldest ")
    assert urgent[0]["sentence"].endswith("e.g. incoming/acounts/copy.csv")
    assert (urgent[1]["feed"], urgent[1]["command"]) == ("tolerant", "dropmerge dead-letters list --feed tolerant")
    lines = commands.run("status", "--check", code=1).stdout.splitlines()
    assert [line.rpartition("; next: ")[2] for line in lines] == [one["command"] for one in answer["attention"]]
    commands.run("dead-letters", "discard", "--all", "--why", "looked at", "--yes")
    now = commands.json("status")["feeds"]["tolerant"]
    assert (now["dead_letters_waiting"], now["dead_letters"]) == (0, before["dead_letters"] + 1)
    assert "OK: nothing needs anybody" in commands.run("status", "--check").stdout
    pipeline.publish("file-staged", message.data, dict(message.attributes))
    pipeline.wait_until_idle()


def test_a_file_that_fails_or_is_late_says_attempt_error_and_next_try(pipeline: Pipeline, commands: Commands) -> None:
    """Failing for now needs nobody; a file that waits for longer than it may does."""
    with paused_subscription(pipeline, "ingest") as path:
        uri = pipeline.drop("failing.csv", HEADER + row("failing"), feed="tolerant")
        (message,) = pull_all(pipeline, path, 1)
        source = find_file(pipeline.connection, uri)
        about = Load("tolerant", source).fields
        writer = Journal(pipeline.connection.warehouse.client, "ingest")
        writer.record("arrived", about)
        writer.record("failed", about, attempt=4, error="the warehouse is busy")
        feed = commands.json("status")["feeds"]["tolerant"]
        assert feed["state"] == "FAILING"
        assert feed["failing"] == {"object": source.name, "attempt": 4, "error": "the warehouse is busy"}
        assert "attempt 4 of ingest failed" in commands.run("status").stderr
        found = stuck(pipeline.connection, source)
        assert (found.attempt, found.last_error) == (4, "the warehouse is busy")
        assert found.failed_at is not None
        assert found.next_try_at == found.failed_at + timedelta(seconds=80)
        assert found.service_health.service == "ingest"
        assert commands.json("status", "--check")["ok"]
        late = commands.json("status", "--check", "--max-age", "0s", code=1)
        (problem,) = late["problems"]
        assert (problem["what"], problem["feed"]) == ("late", "tolerant")
        assert problem["sentence"].startswith(f"tolerant: 1 file is late; {source.name} is arrived after ")
        assert "the warehouse is busy; " in problem["sentence"]
        writer.record("staged", about)
        assert stuck(pipeline.connection, source).attempt is None, "it went on"
    pipeline.publish("file-arrived", message.data, dict(message.attributes))
    pipeline.wait_until_idle()


def _old(name: str, **age: float) -> ObjectGeneration:
    at = datetime.now(UTC) - timedelta(**age)
    return ObjectGeneration("landing", f"incoming/tolerant/{name}", int(at.timestamp() * 1e6))


def test_a_young_file_that_was_never_announced_needs_somebody(pipeline: Pipeline, commands: Commands) -> None:
    """It is not in flight, since nothing will happen; `backfill` announces it, and older ones too."""
    like = pipeline.drop("announced.csv", HEADER + row("announced"), feed="tolerant")
    pipeline.wait_until_idle()
    young, old = _old("lost-young.csv", hours=2), _old("lost-old.csv", days=3)
    put_objects(pipeline, like, [young, old], HEADER + row("unannounced"))
    answer = commands.json("status")
    (problem,) = [one for one in answer["attention"] if one["what"] == "unannounced"]
    assert problem["sentence"] == f"1 file was never announced: {young.name} is in the bucket since 2 h"
    assert problem["command"] == f"dropmerge backfill {young.uri}"
    assert answer["feeds"]["tolerant"]["in_flight"] == 0
    assert answer["in_part"] is None
    commands.run("wait", "--timeout", 0)
    would = commands.json("backfill", "gs://landing/incoming/tolerant/lost-", "--dry-run")
    assert [one["object"] for one in would] == [old.name, young.name]
    commands.run("backfill", "gs://landing/incoming/tolerant/lost-", "--yes")
    commands.run("wait")
    assert "OK: nothing needs anybody" in commands.run("status", "--check").stdout


def test_what_has_ended_is_not_read_again(pipeline: Pipeline) -> None:
    """Of the ended ones a question has each feed's newest, and no more: there may be a hundred thousand."""
    pipeline.drop("ended.csv", HEADER + row("ended"), feed="tolerant")
    pipeline.wait_until_idle()
    found = unended_states(pipeline.connection, datetime.now(UTC) - timedelta(days=1))
    known = journal_states(pipeline.connection, datetime.now(UTC) - timedelta(days=1))
    ended = [
        one for one in statuses_of(pipeline.connection, known) if one.feed == "tolerant" and one.state.is_terminal
    ]
    newest = max(ended, key=lambda one: one.created)
    assert len(ended) > 3
    assert {one.source for one in ended if one.source in found} == {newest.source}
