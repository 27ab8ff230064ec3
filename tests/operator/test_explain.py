"""`dropmerge explain` says what happened to a file, and why a row is as it is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.commands import Commands
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all, wait_until


def test_the_life_of_a_merged_load(pipeline: Pipeline, commands: Commands) -> None:
    """Explain shows steps with times, rejected rows by reason, jobs, the MERGE and the loads merged with it."""
    bad = "life-bad,a,high,1.5,2025-01-01T00:00:00Z,U\n"
    with paused_subscription(pipeline, "merge") as path:
        uris = [pipeline.drop(f"life-{n}.csv", HEADER + row(f"life-{n}") + bad, feed="tolerant") for n in range(2)]
        staged = pull_all(pipeline, path, 2)
        one = pipeline.explain(uris[0])
        assert one["state"] == "staged"
    for message in staged:
        pipeline.publish("file-staged", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    found = commands.json("explain", uris[0])
    assert (found["state"], found["feed"], found["load_id"]) == ("merged", "tolerant", one["load_id"])
    names = [event["event"] for event in found["events"]]
    assert names[:5] == ["arrived", "pinned", "loaded", "checked", "staged"]
    assert [event["at"] for event in found["events"]] == sorted(event["at"] for event in found["events"])
    contract = pipeline.contract("tolerant")
    assert found["contract"] == contract
    assert found["events"][3]["detail"] == {
        "contract": contract,
        "rows": 2,
        "rejected_rows": 1,
        "deletes": 0,
        "commonest_reason": "not_an_integer: credit_score",
    }
    assert found["rejected"] == {"not_an_integer: credit_score": 1}
    assert found["merged_with"] == [uris[1]]
    kinds = [job["job_id"].split("-")[1] for job in found["jobs"]]
    assert kinds == ["load", "check", "reject", "stage", "merge"]
    assert all(job["state"] == "DONE" and job["error"] is None for job in found["jobs"])
    assert found["merge_id"] in found["jobs"][-1]["job_id"]
    assert found["merged_rows"] == {"staged": 2, "deletes": 0, "inserted": 2, "updated": 0, "ignored": 0}
    text = commands.run("explain", uris[0]).stdout
    assert "state: merged" in text
    assert found["jobs"][0]["job_id"] in text


def test_a_merge_tells_what_became_of_its_rows(pipeline: Pipeline, commands: Commands) -> None:
    """Rows are counted as inserted, updated, made a tombstone, or stale against the table."""
    pipeline.drop("rows-1.csv", HEADER + row("rows-old", 600, day=5) + row("rows-new", 400) + row("rows-gone"))
    pipeline.wait_until_idle()
    changes = [row("rows-old", 400, day=4), row("rows-new", 401, day=2), row("rows-gone", day=2, operation="D")]
    uri = pipeline.drop("rows-2.csv", HEADER + "".join(changes) + row("rows-first"))
    pipeline.wait_until_idle()
    found = commands.json("explain", uri)
    assert found["merged_rows"] == {"staged": 4, "deletes": 1, "inserted": 1, "updated": 2, "ignored": 1}
    assert "ignored: 1" in commands.run("explain", uri).stdout


def test_where_a_row_has_its_values_from(pipeline: Pipeline, commands: Commands) -> None:
    """Explain names file, generation, load, time, and what would replace the row; tombstones and missing keys too."""
    pipeline.drop("row-1.csv", HEADER + row("row", 500, day=1) + row("row-gone", day=1), feed="story")
    pipeline.wait_until_idle()
    newer = pipeline.drop(
        "row-2.csv", HEADER + row("row", 640, day=2) + row("row-gone", day=3, operation="D"), feed="story"
    )
    pipeline.wait_until_idle()
    found = commands.json("explain", "--feed", "story", "--row", "customer_id=row", "account_number=a")
    assert f"gs://landing/{found['object']}#{found['generation']}" == newer
    assert (found["state"], found["row"]["credit_score"], found["deleted"]) == ("merged", "640", False)
    assert found["merged_at"]
    assert "2025-01-02" in found["loses_to"][0]
    assert found["loses_to"][-2].endswith(
        "credit_score greater than 640, then account_balance greater than 1.500000000"
    )
    assert found["loses_to"][-1].endswith(f"name is greater than gs://landing/{found['object']}")
    gone = commands.json("explain", "--feed", "story", "--row", "customer_id=row-gone", "--row", "account_number=a")
    assert gone["deleted"] is True
    assert not any("a delete" in step for step in gone["loses_to"])
    nobody = commands.json("explain", "--feed", "story", "--row", "customer_id=x", "account_number=a", code=1)
    assert (nobody["state"], nobody["row"]) == ("unknown", None)


def test_key_values_have_the_contracts_types(pipeline: Pipeline, commands: Commands) -> None:
    """A NUMERIC key is found however it is written; text that is none is refused."""
    pipeline.drop("n.csv", "n,v\n1.50,7\n", feed="numbers")
    pipeline.wait_until_idle()
    assert commands.json("explain", "--feed", "numbers", "--row", "n=1.5")["row"] == {"n": "1.500000000", "v": "7"}
    assert "the contract says NUMERIC" in commands.run("explain", "--feed", "numbers", "--row", "n=one", code=2).stderr


def test_ends_without_a_merge(pipeline: Pipeline) -> None:
    """Superseded, ignored and unknown have their own words; a discarded or replayed dead letter is seen too."""
    with paused_subscription(pipeline, "ingest") as path:
        old = pipeline.drop("ends.csv", HEADER + row("ends", 501))
        new = pipeline.drop("ends.csv", HEADER + row("ends", 502, day=2))
        unknown = pipeline.explain(new)
        assert unknown["state"] == "unknown"
        assert "backfill" in unknown["why"]
        assert pipeline.explain(old)["state"] == "superseded", "by what is in the bucket"
        messages = pull_all(pipeline, path, 2 + 1)  # an overwrite also notifies of the old one's end
    for message in messages:
        pipeline.publish("file-arrived", message.data, dict(message.attributes))
    pipeline.wait_until_idle()
    assert pipeline.explain(old)["state"] == "superseded", "by the journal's word"
    assert pipeline.explain(new)["state"] == "merged"
    pipeline.connection.storage.bucket("landing").blob("elsewhere/x.csv").upload_from_string(b"x")
    assert pipeline.explain("gs://landing/elsewhere/x.csv")["state"] == "ignored"
    assert pipeline.explain("gs://landing/incoming/accounts/never.csv#12")["state"] == "unknown"


@contextmanager
def _lost_journal(pipeline: Pipeline) -> Iterator[None]:
    """Its table is deleted. In the end its rows are there again: the tests after this one ask for theirs."""
    rows = pipeline.connection.rows
    rows("CREATE TABLE `ops.kept_journal` AS SELECT * FROM `ops.journal`")
    pipeline.connection.warehouse.drop_table(f"{pipeline.connection.project}.ops.journal")
    yield
    rows("INSERT INTO `ops.journal` SELECT * FROM `ops.kept_journal`")
    rows("DROP TABLE `ops.kept_journal`")


def test_without_the_journal_the_pipeline_carries_on_and_explain_tells_what_is_there(
    pipeline: Pipeline, commands: Commands
) -> None:
    """With the journal's table deleted, ledger and dead letters still give the state, and new files are merged."""
    merged = pipeline.drop("diary-1.csv", HEADER + row("diary-1", 611))
    bad = pipeline.drop("diary-bad.csv", "no,header\n")
    pipeline.wait_until_idle()
    with _lost_journal(pipeline):
        found = commands.json("explain", merged)
        assert (found["state"], found["events"]) == ("merged", [])
        assert [job["job_id"].split("-")[1] for job in found["jobs"]] == ["load", "check", "stage", "merge"]
        assert found["merged_rows"] == {"inserted": 1, "updated": 0}, "what BigQuery knows, without the journal"
        lost = pipeline.explain(bad)
        assert (lost["state"], lost["reason"]) == ("dead_lettered", "wrong_header")
        after = pipeline.drop("diary-2.csv", HEADER + row("diary-2", 612))
        wait_until(lambda: pipeline.explain(after)["state"] == "merged", "merged")
        wait_until(lambda: not any(map(pipeline.connection.undelivered, ("ingest", "merge"))), "acknowledged")
        assert pipeline.scores(["diary-1", "diary-2"]) == {"diary-1": 611, "diary-2": 612}
        assert [event["event"] for event in pipeline.explain(after)["events"]][:2] == ["arrived", "pinned"]
        unnamed = pipeline.connection.storage.bucket("archive").blob("accounts/unnamed.csv")
        unnamed.upload_from_string(b"x")
        archived = commands.run("backfill", "gs://archive/accounts/", "--dead-letters", "--dry-run", "--json")
        known = {f"gs://{one['bucket']}/{one['object']}#{one['generation']}" for one in json.loads(archived.stdout)}
        assert bad in known
        assert not {merged, after} & known
        assert f"gs://archive/{unnamed.name}: not a copy made by ingest" in archived.stderr
        unnamed.delete()
    pipeline.wait_until_idle()
