"""A file that Pub/Sub gave up on is reported as dead-lettered, though its dead letter has no reason."""

from typing import Any

from dropmerge.operations.dead_letters.remedies import REMEDIES
from services.shared.journal import Journal
from services.shared.load import staging_table
from tests.harness.commands import Commands
from tests.harness.dead_letters import INGEST_DEAD_LETTERS, MERGE_DEAD_LETTERS, forward
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all


def journal(pipeline: Pipeline, uri: str, *events: str) -> None:
    """What ingest writes on its way."""
    place, _, generation = uri.removeprefix("gs://").partition("#")
    bucket, _, name = place.partition("/")
    feed = name.split("/")[1]
    about = {"feed": feed, "bucket": bucket, "object": name, "generation": int(generation)}
    writer = Journal(pipeline.connection.warehouse.client, "ingest")
    for event in events:
        writer.record(event, about)


def state_of(pipeline: Pipeline, uri: str) -> tuple[str, Any]:
    found = pipeline.explain(uri)
    return found["state"], found.get("reason")


def test_a_file_that_pubsub_gave_up_on_is_dead_lettered(pipeline: Pipeline, commands: Commands) -> None:
    """Explain, status and wait say so, not the journal's `pinned`; a discard is final; a replay starts it again."""
    lost = ("dead_lettered", "delivery_attempts_exhausted")
    with paused_subscription(pipeline, "ingest") as path:
        uri = pipeline.drop("given-up.csv", HEADER + row("given-up", 633), feed="tolerant")
        (message,) = pull_all(pipeline, path, 1)
        before = commands.json("status")["feeds"]["tolerant"]
        journal(pipeline, uri, "arrived", "pinned")
        first = forward(pipeline, message, INGEST_DEAD_LETTERS)
        assert state_of(pipeline, uri) == lost
        commands.run("wait", "--timeout", 0)
        now = commands.json("status")["feeds"]["tolerant"]
        assert (now["in_flight"], now["dead_letters"]) == (before["in_flight"] - 1, before["dead_letters"] + 1)

        journal(pipeline, uri, "arrived")
        assert state_of(pipeline, uri) == ("arrived", None), "announced again: the dead letter is of the past"
        commands.run("wait", "--timeout", 0, code=1)
        second = forward(pipeline, message, INGEST_DEAD_LETTERS)
        assert pipeline.explain(uri)["dead_letter"] == second, "the later one"

        for dead_letter in (first, second):
            commands.run("dead-letters", "discard", "--id", dead_letter, "--why", "enough", "--yes")
        found = commands.json("explain", uri)
        assert (found["state"], found["reason"]) == lost
        assert (found["discarded"], found["dead_letter"]) == ("enough", second)
        commands.run("wait", "--timeout", 0)
        now = commands.json("status")["feeds"]["tolerant"]
        assert (now["in_flight"], now["dead_letters"]) == (before["in_flight"] - 1, before["dead_letters"] + 2)

        third = forward(pipeline, message, INGEST_DEAD_LETTERS)
        journal(pipeline, uri, "arrived")
        commands.run("dead-letters", "discard", "--id", third, "--why", "announced again", "--yes")
        assert state_of(pipeline, uri) == ("arrived", None), "what was discarded is of the past"
        assert commands.json("status")["feeds"]["tolerant"]["in_flight"] == before["in_flight"]
        commands.run("wait", "--timeout", 0, code=1)
    pipeline.announce(uri)
    pipeline.wait_until_idle()
    assert state_of(pipeline, uri) == ("merged", None)


def test_a_load_that_merge_was_given_up_on_has_its_objects_name(pipeline: Pipeline, commands: Commands) -> None:
    """The name is read from the staged message, for filters, explain and the journal's record of a discard."""
    with paused_subscription(pipeline, "merge") as path:
        uri = pipeline.drop("given-up-staged.csv", HEADER + row("given-up-staged"))
        (message,) = pull_all(pipeline, path, 1)
        dead_letter = forward(pipeline, message, MERGE_DEAD_LETTERS)
        name, _, generation = uri.removeprefix("gs://landing/").partition("#")
        (listed,) = commands.json("dead-letters", "list", "--object", name)
        assert (listed["id"], listed["bucket"], listed["object"], listed["generation"], listed["feed"]) == (
            dead_letter, "landing", name, int(generation), "accounts",
        )  # fmt: skip
        assert state_of(pipeline, uri) == ("dead_lettered", "delivery_attempts_exhausted")
        commands.run("wait", "--timeout", 0)
        commands.run("dead-letters", "discard", "--object", name, "--why", "enough", "--yes")
        assert pipeline.explain(uri)["discarded"] == "enough"
    pipeline.publish("file-staged", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    assert state_of(pipeline, uri) == ("merged", None)


def test_a_discard_hides_no_other_end(pipeline: Pipeline, commands: Commands) -> None:
    """A superseded generation stays so when an old dead letter of it is discarded, or another delivery of it fails."""
    with paused_subscription(pipeline, "ingest") as path:
        uri = pipeline.drop("other-end.csv", HEADER + row("other-end"))
        (message,) = pull_all(pipeline, path, 1)
        dead_letter = forward(pipeline, message, INGEST_DEAD_LETTERS)
        journal(pipeline, uri, "superseded", "failed")
        commands.run("dead-letters", "discard", "--id", dead_letter, "--why", "superseded", "--yes")
        assert state_of(pipeline, uri) == ("superseded", None)
        assert commands.json("status")["feeds"]["accounts"]["last_file"]["state"] == "superseded"
    pipeline.connection.storage.bucket("landing").blob("incoming/accounts/other-end.csv").delete()
    pipeline.wait_until_idle()


def test_what_lost_its_staging_table_is_merged_from_its_pinned_copy(pipeline: Pipeline, commands: Commands) -> None:
    """The remedy works though the object was overwritten since and is no longer in the landing bucket."""
    with paused_subscription(pipeline, "merge") as path:
        old = pipeline.drop("lost-table.csv", HEADER + row("lost-old", 610))
        (message,) = pull_all(pipeline, path, 1)
        load_id = pipeline.explain(old)["load_id"]
        table = staging_table("accounts", load_id, pipeline.contract("accounts"))
        pipeline.connection.warehouse.drop_table(f"{pipeline.connection.project}.staging.{table}")
    pipeline.publish("file-staged", message.data, dict(message.attributes))
    pipeline.drop("lost-table.csv", HEADER + row("lost-new", 620))
    pipeline.wait_until_idle()
    dead_letter = pipeline.dead_letter(old)
    assert dead_letter.reason == "staging_missing"
    assert f"dropmerge backfill --dead-letters gs://ARCHIVE/accounts/{load_id}" in dead_letter.error
    assert "dropmerge backfill --dead-letters gs://ARCHIVE/FEED/LOAD_ID" in REMEDIES[dead_letter.reason].fix
    assert commands.json("backfill", f"gs://landing/{dead_letter.object}", "--yes") == []
    archived = f"gs://archive/accounts/{load_id}"
    assert commands.json("backfill", archived, "--yes") == []
    (announced,) = commands.json("backfill", archived, "--dead-letters", "--yes")
    assert announced["load_id"] == load_id
    pipeline.wait_until_idle()
    assert pipeline.explain(old)["state"] == "merged"
    assert pipeline.scores(["lost-old", "lost-new"]) == {"lost-old": 610, "lost-new": 620}
