"""`dropmerge dead-letters` lists, shows, replays and discards dead letters."""

import base64
import fnmatch
import json
import os
import pwd

import pytest

from dropmerge.operations.dead_letters.remedies import REMEDIES
from services.shared.reasons import REASONS
from tests.harness.commands import Commands
from tests.harness.dead_letters import INGEST_DEAD_LETTERS, MERGE_DEAD_LETTERS, empty_dead_letters, ours, put
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all

BAD_HEADER = HEADER.replace("credit_score", "score")


def waiting(pipeline: Pipeline, glob: str) -> list[str]:
    """Ids."""
    return sorted(
        dead_letter.id for dead_letter in pipeline.dead_letters() if fnmatch.fnmatch(dead_letter.object or "", glob)
    )


def test_list_counts_by_kind_and_shows_the_oldest(pipeline: Pipeline, commands: Commands) -> None:
    """Both shapes are listed: ours with its reason, Pub/Sub's own after too many attempts."""
    name = "incoming/accounts/list.csv"
    ids = [put(pipeline, ours(name, dropmerge_dead_lettered_at=f"2025-01-0{day}T00:00:00Z")) for day in (2, 1)]
    forwarding = {"SourceDeliveryCount": "20", "SourceSubscription": "merge", "SourceSubscriptionProject": "local"}
    native = put(
        pipeline,
        {"feed": "accounts", "objectId": name, **{f"CloudPubSubDeadLetter{k}": v for k, v in forwarding.items()}},
        MERGE_DEAD_LETTERS,
    )
    found = {one["id"]: one for one in commands.json("dead-letters", "list", "--object", name)}
    assert set(found) == {*ids, native}
    mine, forwarded = found[ids[0]], found[native]
    assert (mine["reason"], mine["generation"], mine["feed"]) == ("wrong_header", 5, "accounts")
    assert (forwarded["reason"], forwarded["attempts"], forwarded["service"]) == (
        "delivery_attempts_exhausted", 20, "merge",
    )  # fmt: skip
    text = commands.run("dead-letters", "list", "--object", name, "--limit", 2).stdout
    lines = text.splitlines()
    places = [
        next(n for n, line in enumerate(lines) if words in line) for words in ("older", "2025-01-01 ", "2025-01-02 ")
    ]
    assert places == sorted(places), "the histogram, then the oldest first"
    assert "first line" in text
    assert "second line" not in text
    assert "1 newer" in text


def test_listing_gives_back_every_lease_and_uses_nothing_up(pipeline: Pipeline, commands: Commands) -> None:
    """The next listing sees the same dead letters at once; no delivery attempts are counted."""
    name = "incoming/accounts/again.csv"
    ids = sorted(put(pipeline, ours(name)) for _ in range(3))
    for _ in range(2):
        assert sorted(one["id"] for one in commands.json("dead-letters", "list", "--object", name)) == ids
    path = pipeline.connection.subscriber.subscription_path(pipeline.connection.project, INGEST_DEAD_LETTERS)
    policy = pipeline.connection.subscriber.get_subscription(subscription=path).dead_letter_policy
    assert not policy.dead_letter_topic, "with a policy, reading would drive dead letters out"


FORGED: list[dict[str, str]] = [
    {"dropmerge_service": "../../x", "dropmerge_attempt": "many", "dropmerge_generation": "²"},
    {"dropmerge_dead_lettered_at": "yesterday", "replay_count": "-1", "dropmerge_reason": "made_up"},
    {"data": "d", "topic": "t", "ordering_key": "o", "timeout": "9"},
    {"dropmerge_generation": "9" * 900, "dropmerge_dead_lettered_at": "2025-01-01T00:00:00"},
    {"dropmerge_reason": "[/red]", "dropmerge_error": "\x1b[2J\nnew line", "dropmerge_feed": "[bold]"},
]


def test_a_forged_dead_letter_harms_no_command(pipeline: Pipeline, commands: Commands) -> None:
    """Dead letters with forged attributes are listed, and replayed with their original attributes whole."""
    ids = [
        put(pipeline, {"eventType": "OBJECT_DELETE", "objectId": f"forged/{n}", **forged}, data=b"\xff")
        for n, forged in enumerate(FORGED)
    ]
    found = commands.json("dead-letters", "list", "--object", "forged/*")
    assert sorted(one["id"] for one in found) == sorted(ids)
    assert {one["service"] for one in found} == {"ingest"}
    text = commands.run("dead-letters", "list", "--object", "forged/*").stdout
    assert "[/red]" in text
    assert "\x1b" not in text, "nothing that a terminal would obey"
    assert len([line for line in text.splitlines() if "forged/" in line]) == len(ids)
    with paused_subscription(pipeline, "ingest") as path:
        commands.run("dead-letters", "replay", "--object", "forged/*", "--yes")
        messages = {m.attributes["objectId"]: m for m in pull_all(pipeline, path, len(ids))}
    for n, (dead_letter_id, forged) in enumerate(zip(ids, FORGED, strict=True)):
        original = {k: v for k, v in forged.items() if not k.startswith("dropmerge_") and k != "replay_count"}
        stamps = {"replay_of": dead_letter_id, "replay_count": "1"}
        message = messages[f"forged/{n}"]
        assert message.data == b"\xff"
        assert dict(message.attributes) == {
            "eventType": "OBJECT_DELETE", "objectId": f"forged/{n}", **original, **stamps,
        }  # fmt: skip
    assert waiting(pipeline, "forged/*") == []


def test_show_prints_message_history_and_what_to_do(pipeline: Pipeline, commands: Commands) -> None:
    """A replay that failed again is counted, and the journal knows of the earlier one."""
    uri = pipeline.drop("show.csv", BAD_HEADER + row("show"))
    pipeline.wait_until_idle()
    first = pipeline.dead_letter(uri)
    assert commands.json("dead-letters", "replay", "--id", first.id, "--yes") == [first.id]
    pipeline.wait_until_idle()
    second = pipeline.dead_letter(uri)
    shown = commands.json("dead-letters", "show", second.id)
    assert (shown["replay_count"], shown["replay_of"]) == (1, first.id)
    assert json.loads(base64.b64decode(shown["data"]))["name"] == "incoming/accounts/show.csv"
    assert shown["text"] == base64.b64decode(shown["data"]).decode()
    assert [event["event"] for event in shown["history"] if event["event"] in ("replayed", "dead_lettered")] == [
        "dead_lettered", "replayed", "dead_lettered",
    ]  # fmt: skip
    assert shown["next"]["fix"] == REMEDIES["wrong_header"].fix
    text = commands.run("dead-letters", "show", second.id).stdout
    for words in (
        "'score' is not in the contract",
        REMEDIES["wrong_header"].cause,
        REASONS["wrong_header"],
        "replayed",
    ):
        assert words in text
    assert "no dead letter 999999 is known" in commands.run("dead-letters", "show", "999999", code=2).stderr


def test_replay_takes_what_the_filters_say(pipeline: Pipeline, commands: Commands) -> None:
    """Filters, limit and dry run hold; nothing else is touched, and each original is published to its own topic."""

    def name(n: int) -> str:
        return f"incoming/accounts/filter-{n}.csv"

    old = {"dropmerge_dead_lettered_at": "2025-01-01T00:00:00Z"}
    ids = [
        put(pipeline, ours(name(0))),
        put(pipeline, ours(name(1), **old)),
        put(pipeline, ours(name(2), "empty_file")),
        put(pipeline, {"objectId": name(3), "dropmerge_reason": "staging_missing", **old}, MERGE_DEAD_LETTERS, b"m"),
    ]
    replay = ("dead-letters", "replay", "--object", "incoming/accounts/filter-*")
    assert sorted(commands.json(*replay, "--dry-run")) == sorted(ids)
    assert commands.json(*replay, "--dry-run", "--reason", "empty_file") == [ids[2]]
    assert commands.json(*replay, "--dry-run", "--older-than", "7d", "--service", "ingest") == [ids[1]]
    assert len(commands.json(*replay, "--dry-run", "--limit", 3)) == 3
    assert waiting(pipeline, "incoming/accounts/filter-*") == sorted(ids)
    with paused_subscription(pipeline, "ingest") as ingest, paused_subscription(pipeline, "merge") as merge:
        assert sorted(commands.json(*replay, "--older-than", "7d", "--yes")) == [ids[1], ids[3]]
        (from_ingest,), (from_merge,) = pull_all(pipeline, ingest, 1), pull_all(pipeline, merge, 1)
    assert (from_ingest.attributes["objectId"], from_merge.data) == (name(1), b"m")
    assert waiting(pipeline, "incoming/accounts/filter-*") == sorted([ids[0], ids[2]])


def test_a_dead_letter_that_fails_again_is_not_replayed_by_the_same_command(
    pipeline: Pipeline, commands: Commands
) -> None:
    """Only what waited at the start is taken, each once, though the first is back before the last is replayed."""
    empty_dead_letters(pipeline)
    uris = [pipeline.drop(f"circle-{n}.csv", BAD_HEADER + row("circle")) for n in range(4)]
    pipeline.wait_until_idle()
    ids = sorted(dead_letter.id for dead_letter in pipeline.dead_letters())
    assert sorted(commands.json("dead-letters", "replay", "--all", "--rate", "1", "--yes")) == ids
    pipeline.wait_until_idle()
    assert [pipeline.dead_letter(uri).replay_count for uri in uris] == [1] * 4


def test_replay_refuses_past_a_maximum_unless_forced(pipeline: Pipeline, commands: Commands) -> None:
    """A dead letter that was replayed five times stays where it is and is named."""
    name = "incoming/accounts/replayed-often.csv"
    put(pipeline, ours(name, replay_count="5"))
    refused = commands.run("dead-letters", "replay", "--object", name, "--yes", code=1)
    assert "1 letter replayed 5 times already" in refused.stderr
    commands.run("dead-letters", "replay", "--object", name, "--force", "--yes")
    assert waiting(pipeline, name) == []


def test_discard_is_in_the_journal_with_who_and_why(
    pipeline: Pipeline, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """explain still says that the file was dead-lettered, and `wait` does not wait for it. A variable of the
    environment makes nobody somebody else."""
    monkeypatch.setenv("LOGNAME", "the.auditor")
    uri = pipeline.drop("discard.csv", BAD_HEADER + row("discard"))
    pipeline.wait_until_idle()
    dead_letter = pipeline.dead_letter(uri)
    assert (
        "--why is empty"
        in commands.run("dead-letters", "discard", "--id", dead_letter.id, "--why", " ", code=2).stderr
    )
    assert commands.json("dead-letters", "discard", "--id", dead_letter.id, "--why", "sent by mistake", "--dry-run")
    commands.run("dead-letters", "discard", "--id", dead_letter.id, "--why", "sent by mistake", "--yes")
    found = pipeline.explain(uri)
    assert (found["state"], found["discarded"]) == ("dead_lettered", "sent by mistake")
    event = found["events"][-1]
    assert event["who"] == pwd.getpwuid(os.getuid()).pw_name
    assert event["operation_id"]
    assert event["detail"]["dead_letter_id"] == dead_letter.id
    (recorded,) = pipeline.connection.rows(
        "SELECT load_id FROM `ops.journal` WHERE event = 'discarded' AND object = @object",
        {"object": ("STRING", dead_letter.object)},
    )
    assert recorded["load_id"] == found["load_id"]
    pipeline.wait_until_idle()
