"""Dead letters are read from their table, without a lease, and are known when they no longer wait."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.dead_letters.kept import kept_letters
from dropmerge.operations.dead_letters.reading import read_dead_letters
from dropmerge.operations.dead_letters.summary import Summary
from services.shared.errors import PermanentError
from services.shared.messages.dead_letter import DeadLetter
from services.shared.messages.push import PushMessage
from tests.harness.commands import Commands
from tests.harness.dead_letters import HOSTILE, INGEST_DEAD_LETTERS, empty_dead_letters, ours, put, wait_for_the_table
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all

BAD_HEADER = HEADER.replace("credit_score", "score")


def listed(commands: Commands, *options: object) -> dict[str, Any]:
    return {one["id"]: one for one in commands.json("dead-letters", "list", *options)}


def test_who_looks_and_who_replays_are_not_in_each_others_way(pipeline: Pipeline, commands: Commands) -> None:
    """A list that is still being read holds nothing that a replay wants; and what others hold is listed and shown."""
    empty_dead_letters(pipeline)
    name = "incoming/accounts/looked-at.csv"
    ids = {put(pipeline, ours(name)) for _ in range(3)}
    wait_for_the_table(pipeline)
    looking = read_dead_letters(pipeline.connection, Filter(), Summary())
    assert next(looking).id in ids
    path = pipeline.connection.subscriber.subscription_path(pipeline.connection.project, INGEST_DEAD_LETTERS)
    held = pipeline.connection.subscriber.pull(subscription=path, max_messages=10, timeout=60).received_messages
    assert len(held) == 3
    found = listed(commands)
    assert set(found) == ids
    assert {one["state"] for one in found.values()} == {"waiting"}
    assert commands.json("dead-letters", "show", min(ids))["state"] == "waiting"
    assert set(commands.json("dead-letters", "discard", "--all", "--why", "a look", "--dry-run")) == ids
    pipeline.connection.subscriber.modify_ack_deadline(
        subscription=path, ack_ids=[one.ack_id for one in held], ack_deadline_seconds=0
    )
    assert set(commands.json("dead-letters", "replay", "--all", "--yes")) == ids
    looking.close()
    assert listed(commands) == {}


def test_the_subscription_is_the_truth_for_what_waits(pipeline: Pipeline, commands: Commands) -> None:
    """Letters that the table lacks are listed, so are those of a command that was killed before it acknowledged them;
    one that was written twice is one."""
    empty_dead_letters(pipeline)
    early, twice, killed = (put(pipeline, ours("incoming/accounts/truth.csv")) for _ in range(3))
    wait_for_the_table(pipeline)
    sql = "INSERT INTO `ops.dead_letter_messages` SELECT * FROM `ops.dead_letter_messages` WHERE message_id = @id"
    pipeline.connection.rows(sql, {"id": ("STRING", twice)})
    assert [one.letter.id for one in kept_letters(pipeline.connection, "waiting")].count(twice) == 1
    pipeline.connection.rows(
        "DELETE FROM `ops.dead_letter_messages` WHERE message_id = @id", {"id": ("STRING", early)}
    )
    assert set(listed(commands)) == {early, twice, killed}
    assert commands.json("dead-letters", "show", early)["state"] == "waiting"
    pipeline.connection.journal.record("replayed", {}, dead_letter_id=killed)
    assert listed(commands)[killed]["state"] == "waiting"
    assert commands.json("dead-letters", "show", killed)["state"] == "waiting"


def test_a_discard_is_remembered_and_can_be_taken_back(pipeline: Pipeline, commands: Commands) -> None:
    """The dead letter waits again as it was, under a new id, for `explain`, `status`, `wait` and `backfill` too."""
    empty_dead_letters(pipeline)
    uri = pipeline.drop("undone.csv", BAD_HEADER + row("undone"))
    pipeline.wait_until_idle()
    old = pipeline.dead_letter(uri)
    waiting = commands.run("dead-letters", "undo", old.id, "--yes", code=1)
    assert f"dead letter {old.id} was not discarded: it is waiting" in waiting.stderr
    commands.run("dead-letters", "discard", "--id", old.id, "--why", "sent again", "--yes")

    text = commands.run("dead-letters", "show", old.id).stdout
    assert f"dead letter {old.id} is not waiting: discarded by " in text.splitlines()[0]
    assert '("sent again")' in text.splitlines()[0]
    for words in ("reason: wrong_header", f"error: {old.error}", "eventType: OBJECT_FINALIZE", "data: {", "arrived"):
        assert words in text, "whole"
    assert f"dropmerge dead-letters undo {old.id}" in text
    ended = listed(commands, "--ended", "--object", old.object)[old.id]
    assert (ended["state"], ended["why"], ended["reason"]) == ("discarded", "sent again", "wrong_header")
    assert old.id in commands.run("dead-letters", "list", "--ended").stdout
    assert old.id not in listed(commands, "--ended", "--since", "0s")
    assert commands.json("backfill", "gs://landing/incoming/accounts/undone.csv", "--dry-run") == []

    assert commands.json("dead-letters", "undo", old.id, "--dry-run") == [{"id": old.id, "waits_as": None}]
    ((new),) = [one["waits_as"] for one in commands.json("dead-letters", "undo", old.id, "--yes")]
    wait_for_the_table(pipeline)
    assert set(listed(commands)) == {new}
    (again,) = pipeline.dead_letters()
    assert (again.data, again.attributes, again.error) == (old.data, old.attributes, old.error)
    found = pipeline.explain(uri)
    assert (found["state"], found["dead_letter"], found.get("discarded")) == ("dead_lettered", new, None)
    assert commands.json("status")["dead_letters"] == 1
    commands.run("wait", "--timeout", 0)
    backfill = ("backfill", "gs://landing/incoming/accounts/undone.csv", "--dry-run")
    assert (commands.json(*backfill), len(commands.json(*backfill, "--dead-letters"))) == ([], 1)
    shown = commands.json("dead-letters", "show", new)
    assert [(one["id"], one["state"]) for one in shown["came_from"]] == [(old.id, "discarded")]
    assert "undone" in [event["event"] for event in shown["history"]]
    twice = commands.run("dead-letters", "undo", old.id, "--yes", code=1)
    assert f"was taken back before: it is waiting as {new}" in twice.stderr
    assert "no dead letter 424242 is known" in commands.run("dead-letters", "undo", "424242", "--yes", code=2).stderr

    commands.run("dead-letters", "replay", "--id", new, "--yes")
    pipeline.wait_until_idle()
    back = pipeline.dead_letter(uri)
    line = commands.run("dead-letters", "show", new).stdout.splitlines()[0]
    assert line.endswith(f", and came back as dead letter {back.id}")
    came_from = [one["id"] for one in commands.json("dead-letters", "show", back.id)["came_from"]]
    assert came_from == [new, old.id]
    assert "it was replayed by " in commands.run("dead-letters", "undo", new, "--yes", code=1).stderr
    assert listed(commands, "--ended")[new]["came_back_as"] == back.id


def test_a_replay_that_helped_is_known(pipeline: Pipeline, commands: Commands) -> None:
    empty_dead_letters(pipeline)
    with paused_subscription(pipeline, "ingest") as path:
        pipeline.drop("helped.csv", HEADER + row("helped"))
        (message,) = pull_all(pipeline, path, 1)
    one = put(pipeline, {**message.attributes, "dropmerge_reason": "access_denied"}, data=message.data)
    commands.run("dead-letters", "replay", "--id", one, "--yes")
    pipeline.wait_until_idle()
    assert ", and its file is merged" in commands.run("dead-letters", "show", one).stdout.splitlines()[0]


def test_an_undo_publishes_whatever_it_was(pipeline: Pipeline, commands: Commands) -> None:
    """Bytes that are no text, an original in the form of a push body, and a hundred attributes."""
    empty_dead_letters(pipeline)
    full = ours("incoming/accounts/full.csv", **{f"k{n}": "é\0😀" for n in range(94)})
    assert len(full) == 100
    message = PushMessage(b"\xff", {f"k{n}": "v" for n in range(99)}, "7", "s", 1)
    wrapped = DeadLetter.of(message, "ingest", PermanentError("no_feed", "x"), {}).encode()
    ids = [put(pipeline, full, data=b"\xff\xfe\0"), put(pipeline, wrapped[1], data=wrapped[0])]
    pipeline.wait_until_idle()
    before = {one.id: one for one in pipeline.dead_letters()}
    assert set(before) == set(ids)
    commands.run("dead-letters", "discard", "--all", "--why", "a test", "--yes")
    undone = {one["id"]: one["waits_as"] for one in commands.json("dead-letters", "undo", *ids, "--yes")}
    pipeline.wait_until_idle()
    after = {one.id: one for one in pipeline.dead_letters()}
    for one in ids:
        new, old = after[undone[one]], before[one]
        assert (new.data, new.attributes) == (old.data, old.attributes)
    assert set(listed(commands)) == set(undone.values())
    assert commands.json("dead-letters", "show", ids[0])["undone_as"] == undone[ids[0]]


def test_the_view_says_what_the_commands_say(pipeline: Pipeline, commands: Commands) -> None:
    """Of dead letters that wait and that ended, whatever is in them; each has every key of the list."""
    empty_dead_letters(pipeline)
    ids = [put(pipeline, more, f"{service}-dead-letter", data) for service, data, more in HOSTILE]
    wait_for_the_table(pipeline)
    commands.run("dead-letters", "discard", "--id", ids[0], "--why", 'a "why"', "--yes")
    commands.run("dead-letters", "undo", ids[0], "--yes")
    commands.run("dead-letters", "discard", "--id", ids[1], "--why", "x", "--yes")
    with paused_subscription(pipeline, "ingest") as path:
        commands.run("dead-letters", "replay", "--id", ids[2], "--yes")
        pull_all(pipeline, path, 1)
    wait_for_the_table(pipeline)
    expected = {**listed(commands), **listed(commands, "--ended")}
    rows = {row["id"]: dict(row) for row in pipeline.connection.rows("SELECT * FROM `ops.dead_letters`")}
    assert set(rows) == set(expected)
    assert len(rows) == len(ids) + 1
    for one, found in rows.items():
        moments = {name: found.pop(name) for name in ("dead_lettered_at", "ended_at")}
        del found["load_id"]
        assert {name: expected[one][name] for name in found} == found
        for name, at in moments.items():
            assert at == (datetime.fromisoformat(expected[one][name]) if expected[one][name] else None)
        assert set(expected[one]) == {*found, *moments, "superseded_by"}
