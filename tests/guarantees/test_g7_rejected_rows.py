"""G7: rejected rows are those of the last check, each once."""

import json

from dropmerge.operations.dead_letters.replay import replay_batch
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from tests.harness.pipeline import HEADER, Pipeline, row


def _rejected(pipeline: Pipeline, uri: str) -> list[str]:
    found = pipeline.connection.rows(
        "SELECT row_text FROM `ops.rejected_rows` WHERE generation = @generation",
        {"generation": ("INT64", int(uri.rpartition("#")[2]))},
    )
    return sorted(json.loads(one["row_text"])["customer_id"] for one in found)


def test_g7_rows_are_recorded_once_however_often_the_file_is_announced(pipeline: Pipeline) -> None:
    data = HEADER + row("g7-once-a", 700) + row("g7-once-b", 9999)
    uri = pipeline.drop("g7-once.csv", data, "tolerant")
    pipeline.announce(uri, 3)
    pipeline.wait_until_idle()
    pipeline.announce(uri, 2)
    pipeline.wait_until_idle()
    assert _rejected(pipeline, uri) == ["g7-once-b"]
    assert pipeline.scores(["g7-once-a", "g7-once-b"], "tolerant") == {"g7-once-a": 700}


def test_g7_a_rejected_row_is_recorded_as_it_came(pipeline: Pipeline) -> None:
    """Every column's text is kept, the delete marker's as well, so that the row can be fixed and dropped again."""
    pipeline.drop("g7-text.csv", HEADER + "g7-text,,12x,1.50,2025-01-01 00:00:00Z,UPSERT\n", "tolerant")
    pipeline.wait_until_idle()
    (found,) = pipeline.connection.rows(
        "SELECT row_text FROM `ops.rejected_rows` WHERE object LIKE '%/g7-text.csv'",
    )
    assert json.loads(found["row_text"]) == {
        "customer_id": "g7-text",
        "account_number": None,
        "credit_score": "12x",
        "account_balance": "1.50",
        "last_modified": "2025-01-01 00:00:00Z",
        "operation": "UPSERT",
    }


def test_g7_a_replay_replaces_what_an_earlier_check_recorded(pipeline: Pipeline) -> None:
    uri = pipeline.drop("g7-replayed.csv", HEADER + row("g7-replayed", 9999))
    pipeline.wait_until_idle()
    assert _rejected(pipeline, uri) == ["g7-replayed"]
    dead_letter = pipeline.dead_letter(uri)
    with DeadLetterSubscription(pipeline.connection) as mailbox:
        for batch in mailbox.batches():
            replay_batch(pipeline.connection, mailbox, [one for one in batch if one.id == dead_letter.id])
    pipeline.wait_until_idle()
    assert _rejected(pipeline, uri) == ["g7-replayed"]
    assert pipeline.dead_letter(uri).replay_count == 1


def test_g7_a_backfill_replaces_what_an_earlier_check_recorded(pipeline: Pipeline) -> None:
    """The earlier check may have used another contract, which rejected other rows."""
    uri = pipeline.drop("g7-backfilled.csv", HEADER + row("g7-backfilled", 9999))
    pipeline.wait_until_idle()
    pipeline.connection.warehouse.query(
        "INSERT INTO `ops.rejected_rows` (feed, bucket, object, generation, load_id, row_text, reasons)"
        ' SELECT feed, bucket, object, generation, load_id, \'{"customer_id": "g7-then"}\', reasons'
        " FROM `ops.rejected_rows` WHERE generation = @generation",
        {"generation": ("INT64", int(uri.rpartition("#")[2]))},
    )
    assert _rejected(pipeline, uri) == ["g7-backfilled", "g7-then"]
    pipeline.announce(uri, announced_by="backfill")
    pipeline.wait_until_idle()
    assert _rejected(pipeline, uri) == ["g7-backfilled"]
