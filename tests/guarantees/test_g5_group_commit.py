"""G5: what holds up one file holds up no other, a repeated message costs no job, a lost lock is made again."""

from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.staged import StagedMessage
from tests.harness.pipeline import HEADER, Pipeline, row


def test_g5_a_staging_table_that_cannot_be_merged_keeps_no_other_file_waiting(pipeline: Pipeline) -> None:
    """Its own message becomes a dead letter; the others of its group are merged."""
    poison = Load("accounts", ObjectGeneration("landing", "incoming/accounts/g5-poison.csv", 1))
    table = f"{pipeline.connection.project}.staging.{poison.staging_table(pipeline.contract('accounts'))}"
    pipeline.connection.warehouse.query(f"CREATE TABLE `{table}` AS SELECT 'another contract' AS other")
    pipeline.drop("g5-beside.csv", HEADER + row("g5-beside", 612))
    pipeline.publish(
        "file-staged", StagedMessage(poison, pipeline.contract("accounts")).encode(), {"feed": "accounts"}
    )
    pipeline.wait_until_idle()
    assert pipeline.scores(["g5-beside"]) == {"g5-beside": 612}
    (dead_letter,) = [one for one in pipeline.dead_letters() if one.object == poison.source.name]
    assert dead_letter.reason == "refused_by_warehouse"
    pipeline.connection.warehouse.drop_table(table)


def test_g5_a_repeated_message_runs_no_merge(pipeline: Pipeline) -> None:
    """A staged message after its merge is acknowledged; the ledger and the lock row stay as they are."""
    uri = pipeline.drop("g5-again.csv", HEADER + row("g5-again", 611))
    pipeline.wait_until_idle()
    load = pipeline.explain(uri)
    merges = "SELECT merges FROM `ops.lock_main_accounts`"
    before = [dict(one) for one in pipeline.connection.rows(merges)]
    again = Load("accounts", ObjectGeneration("landing", load["object"], load["generation"]))
    staged = StagedMessage(again, pipeline.contract("accounts")).encode()
    for _ in range(16):
        pipeline.publish("file-staged", staged, {"feed": "accounts"})
    pipeline.wait_until_idle()
    assert [dict(one) for one in pipeline.connection.rows(merges)] == before
    assert pipeline.scores(["g5-again"]) == {"g5-again": 611}
    assert [one for one in pipeline.dead_letters() if one.object == load["object"]] == []


def test_g5_a_lock_row_that_went_is_made_again(pipeline: Pipeline) -> None:
    """An update of no row would lock nothing, and two MERGEs could insert one key."""
    lock = "SELECT merges FROM `ops.lock_main_accounts`"
    pipeline.drop("g5-locked.csv", HEADER + row("g5-locked", 613))
    pipeline.wait_until_idle()
    pipeline.connection.rows("DELETE FROM `ops.lock_main_accounts` WHERE TRUE")
    pipeline.drop("g5-unlocked.csv", HEADER + row("g5-unlocked", 614))
    pipeline.wait_until_idle()
    assert [one["merges"] for one in pipeline.connection.rows(lock)] == [1]
    assert pipeline.scores(["g5-unlocked"]) == {"g5-unlocked": 614}
