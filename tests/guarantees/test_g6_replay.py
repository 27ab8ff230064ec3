"""G6: a dead letter is complete, and its replay is safe."""

import pytest
from google.api_core import exceptions

from dropmerge.operations.dead_letters.replay import replay_batch
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from tests.harness.pipeline import HEADER, Pipeline, row


def test_g6_replay_publishes_the_original_and_may_be_repeated(pipeline: Pipeline) -> None:
    """The attributes are the notification's own; a replay that fails again is again one dead letter."""
    uri = pipeline.drop("replayed.csv", HEADER.replace("credit_score", "score") + row("replayed"))
    pipeline.wait_until_idle()
    first = pipeline.dead_letter(uri)
    assert first.attributes["eventType"] == "OBJECT_FINALIZE"
    assert first.attributes["objectGeneration"] == uri.rpartition("#")[2]
    _replay(pipeline, first.id)
    pipeline.wait_until_idle()
    second = pipeline.dead_letter(uri)
    assert (second.data, second.attributes) == (first.data, first.attributes)
    assert (second.replay_count, second.reason) == (1, first.reason)


def test_g6_a_replay_that_cannot_be_published_loses_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead letter is acknowledged last, so it is still there for another try."""
    uri = pipeline.drop("unpublished.csv", HEADER.replace("credit_score", "score") + row("unpublished"))
    pipeline.wait_until_idle()
    dead_letter = pipeline.dead_letter(uri)
    with monkeypatch.context() as patched:
        patched.setitem(pipeline.connection.topology.subscriptions["ingest"], "topic", "no-such-topic")
        with pytest.raises(exceptions.NotFound):
            _replay(pipeline, dead_letter.id)
    assert pipeline.dead_letter(uri).id == dead_letter.id


def test_g6_replaying_what_has_been_merged_changes_nothing(pipeline: Pipeline) -> None:
    """The notification of a merged load may lie in the dead letters, given up by Pub/Sub though its work was done."""
    uri = pipeline.drop("merged-before.csv", HEADER + row("merged-before", 650))
    pipeline.wait_until_idle()
    generation = uri.rpartition("#")[2]
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "bucketId": "landing",
        "objectId": "incoming/accounts/merged-before.csv",
        "objectGeneration": generation,
        "payloadFormat": "JSON_API_V1",
        "CloudPubSubDeadLetterSourceDeliveryCount": "20",
    }
    pipeline.publish("ingest-dead-letter", b"{}", attributes)
    load_id = pipeline.load_id(uri)
    entries = "SELECT merge_id FROM `ops.ledger` WHERE load_id = @load_id"
    before = [dict(one) for one in pipeline.connection.rows(entries, {"load_id": ("STRING", load_id)})]
    _replay(pipeline, pipeline.dead_letter(uri).id)
    pipeline.wait_until_idle()
    assert pipeline.scores(["merged-before"]) == {"merged-before": 650}
    after = [dict(one) for one in pipeline.connection.rows(entries, {"load_id": ("STRING", load_id)})]
    assert (len(before), after) == (1, before)
    assert [one for one in pipeline.dead_letters() if one.generation == int(generation)] == []


def _replay(pipeline: Pipeline, dead_letter_id: str) -> None:
    with DeadLetterSubscription(pipeline.connection) as mailbox:
        found = [one for batch in mailbox.batches() for one in batch]
        replay_batch(pipeline.connection, mailbox, [one for one in found if one.id == dead_letter_id])
