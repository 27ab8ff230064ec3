"""Cases from the field about ends: each file's end is true, says what to do, and is told apart from others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.pipeline import Pipeline
from tests.harness.subscription import paused_subscription, pull_all

_FEED = """
feed: {feed}
objects: {objects}
format: {{type: csv}}
table: main.{feed}
key: [id]
version: day
delete: {{column: op, equals: D}}
columns:
  - {{name: id, type: STRING}}
  - {{name: a, type: STRING}}
  - {{name: day, type: DATE}}
"""
_HEADER = "id,a,day,op\n"


def _write_feeds(folder: Path, **objects: str) -> Path:
    folder.mkdir()
    for feed, pattern in objects.items():
        (folder / f"{feed}.yaml").write_text(_FEED.format(feed=feed, objects=pattern))
    return folder


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("ends")
    feeds = _write_feeds(folder / "feeds", parts="incoming/parts/*", tables="incoming/tables/*.csv")
    with running(folder, feeds) as pipeline:
        yield pipeline


def _commands(pipeline: Pipeline, feeds: Path) -> Commands:
    return Commands({"DROPMERGE_STATE": str(pipeline.cloud.state), "DROPMERGE_FEEDS": str(feeds), "COLUMNS": "200"})


@pytest.fixture(scope="module")
def commands(pipeline: Pipeline) -> Commands:
    return _commands(pipeline, pipeline.connection.feeds_folder)


def _delete(pipeline: Pipeline, uri: str) -> None:
    name = uri.partition("#")[0].removeprefix("gs://landing/")
    pipeline.connection.storage.bucket("landing").blob(name).delete()


def _reopen(pipeline: Pipeline, messages: list[object]) -> None:
    for message in messages:
        pipeline.publish("file-arrived", message.data, dict(message.attributes))  # type: ignore[attr-defined]
    pipeline.wait_until_idle()


def test_g2_a_file_deleted_before_it_was_read_is_a_dead_letter(pipeline: Pipeline, commands: Commands) -> None:
    """Only what a newer generation overwrote is superseded; the error says what to do; sent again, it is merged."""
    with paused_subscription(pipeline, "ingest") as path:
        gone = pipeline.drop("moved.csv", _HEADER + "moved,1,2024-01-01,U\n", feed="parts")
        _delete(pipeline, gone)
        old = pipeline.drop("over.csv", _HEADER + "over,1,2024-01-01,U\n", feed="parts")
        pipeline.drop("over.csv", _HEADER + "over,2,2024-01-02,U\n", feed="parts")
        messages = pull_all(pipeline, path, 5)  # two of them tell of ends
    _reopen(pipeline, messages)
    pipeline.announce("gs://landing/incoming/parts/never.csv#1700000000000000")
    pipeline.wait_until_idle()
    assert pipeline.explain(old)["state"] == "superseded"
    for uri in (gone, "gs://landing/incoming/parts/never.csv#1700000000000000"):
        found = pipeline.explain(uri)
        assert (found["state"], found["reason"]) == ("dead_lettered", "object_gone")
        assert "sent again" in found["error"]
    again = pipeline.drop("moved.csv", _HEADER + "moved,1,2024-01-01,U\n", feed="parts")
    pipeline.wait_until_idle()
    generation = int(again.rpartition("#")[2])
    (listed,) = commands.json("dead-letters", "list", "--object", "*/moved.csv")
    assert (listed["reason"], listed["superseded_by"]) == ("object_gone", generation)
    (other,) = commands.json("dead-letters", "list", "--object", "*/never.csv")
    assert other["superseded_by"] is None
    shown = commands.run("dead-letters", "show", listed["id"])
    assert f"generation {generation} of the file is merged" in shown.stdout
    assert f"#{generation} of it is merged" in commands.run("dead-letters", "list", "--object", "*/moved.csv").stdout


def test_g1_g3_a_file_sent_again_is_a_newer_upload_and_explain_says_so(pipeline: Pipeline, commands: Commands) -> None:
    """At equal versions the newer upload wins, over a delete too; the same bytes are recognised."""
    data = _HEADER + "k,first,2024-05-01,U\n"
    first = pipeline.drop("again-1.csv", data, feed="parts")
    pipeline.wait_until_idle()
    pipeline.drop("again-2.csv", _HEADER + "k,,2024-05-01,D\n", feed="parts")
    pipeline.wait_until_idle()
    rows = "SELECT a FROM `main.parts_current` WHERE id = 'k'"
    assert pipeline.connection.rows(rows) == []
    assert "sent_again" not in commands.json("explain", first)
    again = pipeline.drop("again-1.csv", data, feed="parts")
    pipeline.wait_until_idle()
    assert [row["a"] for row in pipeline.connection.rows(rows)] == ["first"]
    for words in (("explain", again), ("explain", "--feed", "parts", "--row", "id=k")):
        found = commands.json(*words)
        assert [one["source"] for one in found["same_bytes"]] == [first]
        assert found["same_bytes"][0]["merged_at"]
        assert "the newer upload wins" in found["sent_again"]
    assert any("the newer upload wins" in step for step in found["loses_to"])
    assert first in commands.run("explain", again).stdout
    assert "sent_again" not in commands.json("explain", first), "it came first"


def test_marker_files_are_ignored(pipeline: Pipeline, commands: Commands) -> None:
    """Whichever feed's pattern they fit, and where none wants them; explain names the pattern; drop refuses them."""
    markers = [
        pipeline.drop(name, "", feed=feed)
        for feed in ("parts", "tables")
        for name in ("_SUCCESS", "2024_$folder$", ".DS_Store")
    ]
    part = pipeline.drop("part-00000.csv", _HEADER + "part,1,2024-01-01,U\n", feed="parts")
    before = len(pipeline.dead_letters())
    pipeline.wait_until_idle()
    assert pipeline.explain(part)["state"] == "merged"
    for marker in markers:
        found = pipeline.explain(marker)
        assert (found["state"], found["load_id"]) == ("ignored", None)
    assert "**/_SUCCESS" in pipeline.explain(markers[0])["why"]
    assert [event["event"] for event in pipeline.explain(markers[0])["events"]] == ["ignored"]
    assert len(pipeline.dead_letters()) == before
    assert commands.json("backfill", "gs://landing/incoming/tables/", "--yes") == []


def test_drop_refuses_a_name_that_would_be_ignored(pipeline: Pipeline, commands: Commands, tmp_path: Path) -> None:
    """It would have no effect."""
    (tmp_path / "_SUCCESS").write_text("")
    said = commands.run("drop", tmp_path / "_SUCCESS", "--feed", "parts", code=2).stderr
    assert "**/_SUCCESS" in said


def test_g6_a_backfill_announces_nothing_that_was_given_up(pipeline: Pipeline, commands: Commands) -> None:
    """What waits as a dead letter has one letter, however often a backfill runs; discarded files stay discarded."""
    prefix = "gs://landing/incoming/parts/given-up"
    uri = pipeline.drop("given-up.csv", "a,b\n1,2\n", feed="parts")
    pipeline.wait_until_idle()
    first = pipeline.dead_letter(uri)
    for _ in range(2):
        done = commands.run("backfill", prefix, "--yes")
        assert "re-announced 0 files; 1 is waiting as a dead letter" in done.stdout
        assert "--dead-letters" in done.stdout
    pipeline.wait_until_idle()
    assert pipeline.dead_letter(uri) == first
    commands.run("dead-letters", "discard", "--id", first.id, "--why", "sent by mistake", "--yes")
    assert "re-announced 0 files; 1 was discarded" in commands.run("backfill", prefix, "--yes").stdout
    listed = commands.run("backfill", prefix, "--yes", "--json")
    assert (listed.stdout.strip(), "1 was discarded" in listed.stderr) == ("[]", True)
    (announced,) = commands.json("backfill", prefix, "--yes", "--discarded")
    assert uri.endswith(f"#{announced['generation']}")
    pipeline.wait_until_idle()
    second = pipeline.dead_letter(uri)
    assert commands.json("backfill", prefix, "--yes", "--discarded") == []
    assert len(commands.json("backfill", prefix, "--yes", "--dead-letters")) == 1
    pipeline.wait_until_idle()
    letters = [one for one in pipeline.dead_letters() if one.object == second.object]
    assert len(letters) == 2, "asked for"


def test_a_backfill_that_announces_nothing_says_why(pipeline: Pipeline, commands: Commands) -> None:
    """A typing error, files that no feed wants, and files that are merged are three different sentences."""
    merged = pipeline.drop("why-merged.csv", _HEADER + "why,1,2024-01-01,U\n", feed="parts")
    bucket = pipeline.connection.storage.bucket("landing")
    bucket.blob("elsewhere/why.csv").upload_from_string(b"x")
    pipeline.wait_until_idle()
    said = [
        commands.run("backfill", prefix, "--yes").stdout
        for prefix in ("gs://landing/incomin/parts/", "gs://landing/elsewhere/", merged.partition("#")[0])
    ]
    assert "no object has a name that begins with gs://landing/incomin/parts/" in said[0]
    assert "1 matches no feed (parts: incoming/parts/*, tables: incoming/tables/*.csv)" in said[1]
    assert "1 is merged already" in said[2]


@pytest.mark.parametrize("left", ["narrowed", "renamed", "gone"])
def test_a_feed_that_no_longer_wants_its_files_leaves_them_merged(
    pipeline: Pipeline, commands: Commands, tmp_path: Path, left: str
) -> None:
    """Wait returns at once and explain says merged, though no pattern, or another feed's, fits the objects today."""
    with paused_subscription(pipeline, "merge") as path:
        uris = [pipeline.drop(f"{left}-{n}", _HEADER + f"{left}-{n},1,2024-01-01,U\n", feed="parts") for n in range(6)]
        staged = pull_all(pipeline, path, 6)
    for message in staged:
        pipeline.publish("file-staged", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    objects = {"narrowed": {"parts": "incoming/parts/*.csv"}, "renamed": {"pieces": "incoming/parts/*"}, "gone": {}}
    others = {"tables": "incoming/tables/*.csv"}
    changed = _commands(pipeline, _write_feeds(tmp_path / "feeds", **others, **objects[left]))
    changed.run("wait", "--timeout", 8)
    for uri in uris:
        found = changed.json("explain", uri)
        assert (found["state"], found["feed"]) == ("merged", "parts")
        assert found["load_id"] == pipeline.explain(uri)["load_id"]


def test_rejected_counts_all_and_reads_twenty(pipeline: Pipeline, commands: Commands) -> None:
    """Counted in the warehouse, by file and reason; narrowed by name and reason."""
    bad = "".join(f"bad-{n:03},1,01/02/2024,U\n" for n in range(120))
    uri = pipeline.drop("many-bad.csv", _HEADER + bad, feed="parts")
    pipeline.drop("one-bad.csv", _HEADER + ",1,2024-01-01,U\n", feed="parts")
    pipeline.wait_until_idle()
    assert pipeline.dead_letter(uri).reason == "too_many_bad_rows"
    many = commands.run("rejected", "--object", "*/many-bad.csv").stdout
    assert "not_a_date: day" in many
    assert "120" in many
    assert "\n20\t21" in many
    assert "\n21\t" not in many
    assert "… and 100 more" in many
    assert len(commands.json("rejected", "--object", "*/many-bad.csv")) == 120
    assert "one-bad.csv" not in many
    missing = commands.run("rejected", "--feed", "parts", "--reason", "missing_value").stdout
    assert "one-bad.csv" in missing
    assert "many-bad.csv" not in missing
    assert "no rejected rows" in commands.run("rejected", "--object", "*/nothing.csv").stdout
