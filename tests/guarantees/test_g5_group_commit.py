"""G5: a burst is committed together, a repeated message costs no job, merges at once double nothing."""

from concurrent.futures import ThreadPoolExecutor

from services.shared.load import Load
from services.shared.staged import Staged
from tests.guarantees.pipeline import HEADER, Pipeline, row

_FILES = 60


def test_g5_a_burst_is_committed_together(pipeline: Pipeline) -> None:
    """Far fewer MERGEs than files, each load in exactly one of them."""
    with ThreadPoolExecutor(8) as drop:
        uris = list(drop.map(lambda n: pipeline.drop(f"g5-{n}.csv", HEADER + row(f"g5-{n}", 400 + n)), range(_FILES)))
    pipeline.settle()
    loads = [str(pipeline.explain(uri)["load_id"]) for uri in uris]
    found = pipeline.connection.rows(
        "SELECT load_id, merge_id FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@loads))",
        {"loads": ("STRING", ",".join(loads))},
    )
    assert sorted(one["load_id"] for one in found) == sorted(loads)
    assert len({one["merge_id"] for one in found}) <= _FILES / 4
    keys = [f"g5-{n}" for n in range(_FILES)]
    assert pipeline.scores(keys) == {f"g5-{n}": 400 + n for n in range(_FILES)}


def test_g5_a_staging_table_that_cannot_be_merged_keeps_no_other_file_waiting(pipeline: Pipeline) -> None:
    """Its own message becomes a dead letter; the others of its group are merged."""
    poison = Load("accounts", "landing", "incoming/accounts/g5-poison.csv", 1)
    table = f"{pipeline.connection.project}.staging.{poison.staging_table}"
    pipeline.connection.warehouse.query(f"CREATE TABLE `{table}` AS SELECT 'another contract' AS other")
    pipeline.drop("g5-beside.csv", HEADER + row("g5-beside", 612))
    pipeline.publish("file-staged", Staged(poison).encode(), {"feed": "accounts"})
    pipeline.settle()
    assert pipeline.scores(["g5-beside"]) == {"g5-beside": 612}
    (letter,) = [one for one in pipeline.letters() if one.object == poison.object]
    assert letter.reason == "refused_by_warehouse"
    pipeline.connection.warehouse.drop(table)


def test_g5_a_repeated_message_runs_no_merge(pipeline: Pipeline) -> None:
    """A staged message after its merge is acknowledged; the ledger and the lock row stay as they are."""
    uri = pipeline.drop("g5-again.csv", HEADER + row("g5-again", 611))
    pipeline.settle()
    load = pipeline.explain(uri)
    merges = "SELECT feed, merges FROM `ops.locks` ORDER BY feed"
    before = [dict(one) for one in pipeline.connection.rows(merges)]
    staged = Staged(Load("accounts", "landing", load["object"], load["generation"])).encode()
    for _ in range(16):
        pipeline.publish("file-staged", staged, {"feed": "accounts"})
    pipeline.settle()
    assert [dict(one) for one in pipeline.connection.rows(merges)] == before
    assert pipeline.scores(["g5-again"]) == {"g5-again": 611}
    assert [one for one in pipeline.letters() if one.object == load["object"]] == []
