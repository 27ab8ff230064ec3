"""What became of files, who did what, the first rows, and what is wrong: `history`, `audit`, `rows`, `doctor`."""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psutil
import pytest
from google.api_core.exceptions import NotFound, PermissionDenied
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.storage import Bucket

from dropmerge.operations import doctor
from dropmerge.operations.doctor import examine
from tests.harness.commands import Commands
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all

_TABLES = (("history",), ("history", "--by", "day"), ("audit",))
"""The commands that print CSV."""


def _of(commands: Commands, name: str) -> dict[str, Any]:
    (found,) = [one for one in commands.json("history", "--since", "1h") if str(one["file_name"]).endswith(f"/{name}")]
    return dict(found)


def test_history_has_each_file_as_explain_has_it(pipeline: Pipeline, commands: Commands) -> None:
    """Its end, its rows and what its MERGE did; the view of the warehouse says the same."""
    bad = "past-bad,a,high,1.5,2025-01-01T00:00:00Z,U\n"
    pipeline.drop("past-1.csv", HEADER + row("past-1", day=5) + row("past-2"), feed="tolerant")
    pipeline.wait_until_idle()
    data = HEADER + row("past-1", day=1) + row("past-2", operation="D", day=2) + row("past-3") + bad
    uri = pipeline.drop("past-2.csv", data, feed="tolerant")
    dead = pipeline.drop("past-dead.csv", "no,header\n", feed="tolerant")
    pipeline.wait_until_idle()
    told, found = commands.json("explain", uri), _of(commands, "past-2.csv")
    assert {name: found[name] for name in ("load_id", "state", "feed", "contract", "merge_id", "generation")} == {
        name: told[name] for name in ("load_id", "state", "feed", "contract", "merge_id", "generation")
    }
    counts = {name: found[name] for name in ("staged", "inserted", "updated", "ignored")}
    assert counts == {"staged": 3, "inserted": 1, "updated": 1, "ignored": 1}
    (merge,) = [one["detail"] for one in told["events"] if one["event"] == "merged"]
    assert (merge["mode"], merge["inserted"], merge["updated"]) == ("upsert", 1, 1)
    assert {**counts, "deletes": found["deleted"]} == told["merged_rows"]
    assert (found["row_parsed"], found["error_count"], found["file_size"]) == (4, 1, len(data))
    assert found["commonest_error"] == "not_an_integer: credit_score"
    assert found["table_name"] == "main.tolerant"
    assert 0 < found["seconds_to_commit"] < 400
    (row_,) = pipeline.connection.rows(f"SELECT * FROM `ops.loads` WHERE load_id = '{told['load_id']}'")
    assert (row_["state"], row_["updated"], row_["commit_time"].isoformat()) == ("merged", 1, found["commit_time"])
    steps = pipeline.connection.rows(
        f"SELECT event FROM `ops.load_events` WHERE load_id = '{told['load_id']}' ORDER BY happened_at"
    )
    expected = ["arrived", "pinned", "loaded", "checked", "staged", "merged"]
    assert sorted(one["event"] for one in steps) == sorted(expected)
    lost, why = commands.json("explain", dead), _of(commands, "past-dead.csv")
    assert (
        (why["state"], why["dead_letter_reason"])
        == (lost["state"], lost["reason"])
        == ("dead_lettered", "wrong_header")
    )
    assert why["first_error_message"] == lost["error"]


def test_history_of_a_group_and_by_the_hour(pipeline: Pipeline, commands: Commands) -> None:
    """What a MERGE of several did is known for all of them only; the newest are last; sums are by part."""
    with paused_subscription(pipeline, "merge") as path:
        for number in range(2):
            pipeline.drop(f"group-{number}.csv", HEADER + row(f"group-{number}"), feed="tolerant")
        staged = pull_all(pipeline, path, 2)
        assert _of(commands, "group-0.csv")["state"] == "staged"
    for message in staged:
        pipeline.publish("file-staged", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    for number in range(2):
        one = _of(commands, f"group-{number}.csv")
        assert (one["state"], one["loads_in_merge"], one["inserted"], one["merge_inserted"]) == ("merged", 2, None, 2)
    lines = commands.run("history", "--feed", "tolerant", "--limit", 1).stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].split("\t") == ["time", "state", "file", "rows", "rejected", "took"]
    assert "before these" in commands.run("history", "--feed", "tolerant", "--limit", 1).stderr
    every = commands.json("history", "--feed", "tolerant", "--since", "1h")
    assert [one["last_event_time"] for one in every] == sorted(one["last_event_time"] for one in every)
    for by in ("hour", "day", "feed"):
        parts = commands.json("history", "--feed", "tolerant", "--since", "1h", "--by", by)
        assert sum(one["files"] for one in parts) == len(every)
        assert sum(one["row_count"] for one in parts) == sum(
            one["staged"] for one in every if one["state"] == "merged"
        )
        assert all(0 < one["p50_seconds"] <= one["p95_seconds"] for one in parts if one["merged"])
    written = list(csv.DictReader(io.StringIO(commands.run("history", "--in-state", "merged", "--csv").stdout)))
    assert {one["state"] for one in written} == {"merged"}
    assert "not one of" in commands.run("history", "--in-state", "lost", code=2).stderr
    assert "is not a time" in commands.run("history", "--since", "yesterday", code=2).stderr
    assert commands.json("history", "--since", "2100-01-01") == []
    none = [commands.run(*words, "--since", "2100-01-01", "--csv").stdout for words in _TABLES]
    some = [commands.run(*words, "--csv").stdout for words in _TABLES]
    assert [text.splitlines() for text in none] == [text.splitlines()[:1] for text in some]
    assert all(none)


def test_audit_has_a_line_for_each_run_of_a_command(pipeline: Pipeline, commands: Commands) -> None:
    """Who, when, why and to how many; the same run of a command is one line, however many it was about."""
    uris = [pipeline.drop(f"audit-{number}.csv", "no,header\n", feed="tolerant") for number in range(2)]
    pipeline.wait_until_idle()
    commands.run("dead-letters", "discard", "--object", "audit-*", "--why", "a test, of two", "--yes")
    commands.run("backfill", uris[0].partition("#")[0], "--dead-letters", "--discarded", "--yes")
    pipeline.wait_until_idle()
    announced, discarded = sorted(commands.json("audit", "--since", "1h")[-2:], key=lambda one: list(one["events"]))
    assert discarded["events"] == {"discarded": 2}
    assert (discarded["why"], discarded["reasons"], discarded["feeds"]) == (
        "a test, of two",
        "wrong_header",
        "tolerant",
    )
    assert announced["events"] == {"announced": 1}
    assert announced["operation_id"] != discarded["operation_id"]
    assert announced["who"] == discarded["who"] != ""
    assert "discarded 2 dead letters" in commands.run("audit", "--since", "1h").stdout
    (line,) = [one for one in csv.DictReader(io.StringIO(commands.run("audit", "--csv").stdout)) if one["why"]][-1:]
    assert line["events"] == "discarded 2 dead letters"
    # Before there were operations.
    old = "INSERT INTO `ops.journal` (happened_at, event, service, detail) VALUES (CURRENT_TIMESTAMP(), 'discarded', "
    for _ in range(2):
        pipeline.connection.warehouse.query(f"""{old} 'console', '{{"who": "ada", "why": "once"}}')""")
    some = [one for one in commands.json("audit", "--since", "1h") if one["who"] == "ada"]
    assert [(one["events"], one["operation_id"]) for one in some] == [({"discarded": 1}, None)] * 2


def test_rejected_rows_have_a_time_and_the_newest_come_first(pipeline: Pipeline, commands: Commands) -> None:
    """Counts are said first and last; rows that an earlier release recorded have no time and are of no later day."""
    for number in range(2):
        pipeline.drop(f"times-{number}.csv", HEADER + row(f"times-{number}", "high") * 2, feed="tolerant")
    pipeline.wait_until_idle()
    narrow = ("rejected", "--feed", "tolerant", "--object", "times-*")
    lines = commands.run(*narrow, "--limit", 1).stdout.splitlines()
    assert "times-1.csv" in lines[1]
    assert lines[-2:] == [
        "… and 3 more: name a file, or use --since, --reason, --limit, --json or --csv",
        "4 rejected rows of 2 files",
    ]
    assert len(commands.json(*narrow, "--since", "1h")) == 4
    pipeline.connection.warehouse.query(
        "UPDATE `ops.rejected_rows` SET rejected_at = NULL WHERE ENDS_WITH(object, 'times-0.csv')"
    )
    assert {one["object"][-11:] for one in commands.json(*narrow, "--since", "1h")} == {"times-1.csv"}
    assert len(commands.json(*narrow)) == 4


def test_rows_are_what_people_query(pipeline: Pipeline, commands: Commands) -> None:
    """Without deleted ones, key first; a table that is not there yet is said to be so."""
    assert "is not there yet" in commands.run("rows", "whole", code=1).stderr
    pipeline.drop("w.csv", "n,v\n1.5,1\n2,\n", feed="whole")
    pipeline.wait_until_idle()
    pipeline.drop("w.csv", "n,v\n2,7\n", feed="whole")
    pipeline.wait_until_idle()
    assert commands.json("rows", "whole") == [{"n": "2.000000000", "v": 7}]
    done = commands.run("rows", "whole")
    assert done.stdout == "n\tv\n2.000000000\t7\n"
    assert "all 1 row of main.whole_current" in done.stderr
    assert "no feed" in commands.run("rows", "nobody", code=2).stderr


def test_doctor_finds_what_is_wrong(pipeline: Pipeline, commands: Commands) -> None:
    """Each by itself: what works is said to, beside what is missing, of an earlier release, down, or hangs."""
    assert {one.trouble for one in examine(pipeline.connection)} == {None}
    assert commands.run("doctor").stdout.count("OK") > 10
    warehouse = pipeline.connection.warehouse
    warehouse.query("DROP VIEW `ops.loads`")
    ingest = psutil.Process(int(os.environ["DROPMERGE_INGEST_PID"]))
    processes = [ingest, *ingest.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        done = commands.run("doctor", code=1)
    finally:
        for process in processes:
            process.resume()
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert [line.partition(":")[0] for line in wrong] == ["WRONG view ops.loads", "WRONG service ingest"]
    assert "deploy merge" in wrong[0]
    assert "2 things to do" in done.stderr
    pipeline.deploy("merge")
    assert commands.json("doctor")["findings"][0]["trouble"] is None


def test_who_only_looks_is_asked_for_no_right_to_change(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the console page's accounts on Google Cloud: deploy/google/foundation/console.tf. A bucket that is missing is
    wrong for them, too; what they lack is wrong for who types commands only."""

    class _Google:
        emulator = None

    def refuse(*_: object, **__: object) -> None:
        raise PermissionDenied("User not authorized to perform this action.")  # type: ignore[no-untyped-call]

    def viewers(bucket: Bucket, wanted: Sequence[str], **_: object) -> list[str]:
        if bucket.name != "landing":
            raise NotFound("there is no such bucket")  # type: ignore[no-untyped-call]
        return [one for one in wanted if one in ("storage.objects.get", "storage.objects.list")]

    monkeypatch.setattr(doctor, "BIGQUERY", _Google)
    monkeypatch.setattr(Bucket, "exists", refuse)
    monkeypatch.setattr(Bucket, "test_iam_permissions", viewers)
    monkeypatch.setattr(SubscriberClient, "get_subscription", refuse)
    looking = {one.what: one for one in examine(replace(pipeline.connection, may_lease=False))}
    assert [what for what, one in looking.items() if one.trouble] == ["bucket archive"]
    assert "gs://archive is not there: `make deploy-foundation` makes it" in str(looking["bucket archive"].trouble)
    assert [what for what, one in looking.items() if not one.is_known] == ["Pub/Sub"]
    assert (looking["Pub/Sub"].state, looking["bucket landing"].state) == ("UNKNOWN", "OK")
    typing = {one.what: one.trouble or "" for one in examine(pipeline.connection)}
    assert "lacks storage.objects.create on gs://landing" in typing["bucket landing"]
    assert "PermissionDenied: 403 User not authorized" in typing["Pub/Sub"]
