"""Commands that wait say what became of each file, and end with 0 only if all are merged."""

import json
import subprocess
from pathlib import Path

import pytest

from services.shared.journal import Journal
from tests.harness.commands import Commands
from tests.harness.dead_letters import INGEST_DEAD_LETTERS, forward
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all

BAD_HEADER = HEADER.replace("credit_score", "score")


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_drop_waits_and_says_what_became_of_each_file(pipeline: Pipeline, commands: Commands, tmp_path: Path) -> None:
    """The exit code is 1 unless all are merged; JSON has the same beside what it has without --wait."""
    good = write(tmp_path, "waited-good.csv", HEADER + row("waited") + row("waited-2", "high"))
    bad = write(tmp_path, "waited-bad.csv", BAD_HEADER)
    drop = ("drop", "--feed", "tolerant", "--wait", "--yes")
    uploaded, ended = commands.run(*drop, good).stdout.splitlines()
    generation = pipeline.connection.storage.bucket("landing").get_blob("incoming/tolerant/waited-good.csv").generation
    assert uploaded == f"uploaded {good} to gs://landing/incoming/tolerant/waited-good.csv (generation {generation})"
    assert ended.startswith(f"{good}  merged  2 rows, 1 rejected, in ")

    first, second = commands.json(*drop, good, bad, code=1)
    assert (first["file"], first["state"], first["rows"], first["rejected_rows"]) == (str(good), "merged", 2, 1)
    assert first["seconds"] > 0
    assert (second["state"], second["reason"], second["rows"]) == ("dead_lettered", "wrong_header", None)
    assert second["generation"] > first["generation"] > generation

    line = commands.run(*drop, bad, code=1).stdout.splitlines()[1]
    (last, _) = sorted(
        (one for one in pipeline.dead_letters() if one.object == "incoming/tolerant/waited-bad.csv"),
        key=lambda one: -int(one.generation or 0),
    )
    assert line.startswith(f"{bad}  dead-lettered  wrong_header: ")
    assert line.endswith(f" → dropmerge dead-letters show {last.id}")


def test_drop_says_where_a_file_still_is_when_its_time_is_over(
    pipeline: Pipeline, commands: Commands, tmp_path: Path
) -> None:
    """And a file that Pub/Sub gave up on has ended, though no event says so."""
    late = write(tmp_path, "waited-late.csv", HEADER + row("waited-late"))
    with paused_subscription(pipeline, "merge") as path:
        done = commands.run("drop", late, "--feed", "accounts", "--wait", "--timeout", "1", code=1)
        files = commands.json("wait", "--timeout", 0, code=1)["files"]
        assert [one["state"] for one in files if one["object"] == "incoming/accounts/waited-late.csv"] == ["staged"]
        (message,) = pull_all(pipeline, path, 1)
        forward(pipeline, message, INGEST_DEAD_LETTERS.replace("ingest", "merge"))
        assert "waited-late.csv#" in done.stdout
        assert "after 1 s: 1 file in flight: " in done.stderr
        words = ("drop", late, "--feed", "accounts", "--wait", "--yes", "--json")
        with commands.start(*words, stdout=subprocess.PIPE) as process:
            (message,) = pull_all(pipeline, path, 1)
            letter = forward(pipeline, message, INGEST_DEAD_LETTERS.replace("ingest", "merge"))
            output, _ = process.communicate(timeout=200)
        (found,) = json.loads(output)
        assert process.returncode == 1
        assert (found["reason"], found["dead_letter"]) == ("delivery_attempts_exhausted", letter)
    pipeline.connection.storage.bucket("landing").blob("incoming/accounts/waited-late.csv").delete()
    # The local bucket announces a deletion too.
    pipeline.wait_until_idle()


def test_a_canary_that_comes_back_stops_the_replay(
    pipeline: Pipeline, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others stay as they are; what came back is named by its new id, never by the old one."""
    names = [f"incoming/accounts/canary-bad-{n}.csv" for n in range(3)]
    for name in names:
        pipeline.drop(Path(name).name, BAD_HEADER)
    pipeline.wait_until_idle()
    before = {one.object: one.id for one in pipeline.dead_letters() if one.object in names}
    replay = ("dead-letters", "replay", "--object", "*/canary-bad-*", "--yes")
    done = commands.run(*replay, "--canary", 1, code=1)
    now = {one.object: one for one in pipeline.dead_letters() if one.object in names}
    (back,) = [one for one in now.values() if one.replay_of]
    assert "replayed 1 dead letter\n" in done.stdout
    assert f"came back  wrong_header: {back.first_line}" in done.stdout
    assert (
        f"stopped after 1 of 3: it came back as dead letter {back.id} (wrong_header); the other 2 are still waiting"
        in done.stderr
    )
    assert back.replay_of in before.values()
    assert {one.id for one in now.values()} - {back.id} == set(before.values()) - {back.replay_of}

    with monkeypatch.context() as patch, paused_subscription(pipeline, "ingest"):
        patch.setattr(Journal, "write", lambda *_: False)
        found = commands.json(*replay, "--limit", 2, "--canary", 1, "--timeout", 1, code=1)
    assert [(one["state"], one.get("dead_letter")) for one in found] == [("unknown", None), ("held_back", None)]
    pipeline.wait_until_idle()
    assert "2 came back (wrong_header)" in commands.run(*replay, "--limit", 2, "--wait", code=1).stdout
    assert len(commands.json(*replay, "--canary", 1, "--dry-run")) == 3


def test_a_canary_that_merges_is_followed_by_the_rest(pipeline: Pipeline, commands: Commands) -> None:
    with paused_subscription(pipeline, "ingest") as path:
        for n in range(3):
            pipeline.drop(f"canary-{n}.csv", HEADER + row(f"canary-{n}", 600 + n))
        for message in pull_all(pipeline, path, 3):
            forward(pipeline, message, INGEST_DEAD_LETTERS)
    replay = ("dead-letters", "replay", "--object", "*/canary-?.csv", "--yes")
    found = commands.json(*replay, "--canary", 1, "--rate", "10/s")
    assert [one["state"] for one in found] == ["merged"] * 3
    assert found[0]["id"] == min((one["id"] for one in found), key=int)
    assert pipeline.scores([f"canary-{n}" for n in range(3)]) == {f"canary-{n}": 600 + n for n in range(3)}
    assert not [one for one in pipeline.dead_letters() if "/canary-" in (one.object or "") and not one.replay_of]


def test_a_replay_that_pubsub_gives_up_on_again_came_back(pipeline: Pipeline, commands: Commands) -> None:
    """No event says so; the new dead letter names the old one."""
    with paused_subscription(pipeline, "ingest") as path:
        pipeline.drop("again.csv", HEADER + row("again"))
        (message,) = pull_all(pipeline, path, 1)
        first = forward(pipeline, message, INGEST_DEAD_LETTERS)
        words = ("dead-letters", "replay", "--id", first, "--wait", "--yes", "--json")
        with commands.start(*words, stdout=subprocess.PIPE) as process:
            (message,) = pull_all(pipeline, path, 1)
            second = forward(pipeline, message, INGEST_DEAD_LETTERS)
            output, _ = process.communicate(timeout=200)
    (found,) = json.loads(output)
    assert process.returncode == 1
    assert (found["id"], found["dead_letter"]) == (first, second)
    commands.run("dead-letters", "replay", "--id", second, "--wait", "--yes")


def test_wait_ends_with_what_became_of_each_file(pipeline: Pipeline, commands: Commands) -> None:
    """Also of one that had ended before; those uploaded before --since are left out."""
    good = pipeline.drop("ended-good.csv", HEADER + row("ended"))
    bad = pipeline.drop("ended-bad.csv", BAD_HEADER)
    pipeline.wait_until_idle()
    *lines, counts, last = commands.run("wait").stdout.splitlines()
    letter = pipeline.dead_letter(bad)
    assert last == "nothing is in flight"
    assert " merged, " in counts
    assert "dead-lettered (wrong_header)" in counts
    assert any(line.endswith(f"→ dropmerge dead-letters show {letter.id}") for line in lines) or "… and " in lines[-1]
    found = {
        f"gs://{one['bucket']}/{one['object']}#{one['generation']}": one for one in commands.json("wait")["files"]
    }
    assert (found[good]["state"], found[good]["rows"]) == ("merged", 1)
    assert (found[bad]["reason"], found[bad]["dead_letter"]) == ("wrong_header", letter.id)
    commands.run("dead-letters", "discard", "--id", letter.id, "--why", "a test", "--yes")
    found = {one["object"]: one for one in commands.json("wait")["files"]}
    assert found["incoming/accounts/ended-bad.csv"]["discarded"] == "a test"
    assert commands.run("wait", "--strict", "--since", "0s").stdout == "nothing is in flight\n"
