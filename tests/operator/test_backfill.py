"""`dropmerge backfill` publishes notifications for objects that never got one, in landing and archive."""

from dataclasses import replace

from services.ingest.notification import read_notification
from services.shared.messages.push import PushMessage
from tests.harness.commands import Commands
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.subscription import paused_subscription, pull_all


def test_backfill_finds_objects_that_never_got_a_notification(pipeline: Pipeline, commands: Commands) -> None:
    """It takes only what a feed wants and the ledger lacks, sends Cloud Storage's message, and may be repeated."""
    prefix = "gs://landing/incoming/accounts/back"
    known = pipeline.drop("back-0.csv", HEADER + row("back-0", 400))
    pipeline.wait_until_idle()
    with paused_subscription(pipeline, "ingest") as path:
        uris = [pipeline.drop(f"back-{n}.csv", HEADER + row(f"back-{n}", 400 + n)) for n in (1, 2, 3)]
        originals = {m.attributes["objectId"]: m for m in pull_all(pipeline, path, 3)}
        would = commands.json("backfill", prefix, "--dry-run")
        assert [f"gs://{one['bucket']}/{one['object']}#{one['generation']}" for one in would] == uris
        assert pipeline.connection.undelivered("ingest") == 0
        commands.run("backfill", prefix, "--rate", 100, "--yes")
        for message in pull_all(pipeline, path, 3):
            original = originals[message.attributes["objectId"]]
            assert dict(message.attributes).items() - dict(original.attributes).items() >= {
                ("announced_by", "backfill")
            }
            read = [
                read_notification(PushMessage(one.data, dict(one.attributes), "", "", 1))
                for one in (message, original)
            ]
            assert replace(read[0], event_time=read[1].event_time) == read[1]
    assert pipeline.explain(known)["state"] == "merged"
    commands.run("backfill", prefix, "--yes")
    commands.run("backfill", prefix, "--yes")
    pipeline.wait_until_idle()
    assert pipeline.scores([f"back-{n}" for n in range(4)]) == {f"back-{n}": 400 + n for n in range(4)}
    assert commands.json("backfill", prefix, "--yes") == []
    assert "404" in commands.run("backfill", "gs://no-such-bucket/x", "--yes", code=1).stderr


def test_a_whole_feed_is_reloaded_from_the_archive(pipeline: Pipeline, commands: Commands) -> None:
    """Into a table that was dropped: the same rows, though an overwritten generation has left the landing bucket."""
    old = pipeline.drop("reload.csv", "n,v\n1,1\n2,1\n", feed="reloaded")
    pipeline.wait_until_idle()
    pipeline.drop("reload.csv", "n,v\n2,2\n3,2\n", feed="reloaded")
    pipeline.wait_until_idle()
    table = "SELECT n, v, _generation FROM `main.reloaded` ORDER BY n"
    before = pipeline.connection.rows(table)
    assert pipeline.explain(old)["generation"] in {one["_generation"] for one in before}
    pipeline.connection.warehouse.drop_table("local.main.reloaded")
    archive = "gs://archive/reloaded/"
    assert len(commands.json("backfill", archive, "--dry-run")) == 2
    commands.run("backfill", archive, "--yes")
    commands.run("wait")
    assert pipeline.connection.rows(table) == before
    assert commands.json("backfill", archive, "--yes") == []


def test_what_the_landing_bucket_no_longer_has_is_announced_from_the_archive(
    pipeline: Pipeline, commands: Commands
) -> None:
    """Oldest first, each once, and not what is merged. An object that has a newer generation is announced as
    that one."""
    prefix = "gs://landing/incoming/reloaded/"
    bucket = pipeline.connection.storage.bucket("landing")
    uris = []
    files = (("gone-b.csv", "8,1\n9,1\n"), ("gone-a.csv", "9,2\n"), ("kept.csv", "7,1\n"), ("kept.csv", "7,2\n"))
    for name, data in files:
        uris.append(pipeline.drop(name, f"n,v\n{data}", feed="reloaded"))
        pipeline.wait_until_idle()
    table = "SELECT n, v FROM `main.reloaded` WHERE n BETWEEN 7 AND 9 ORDER BY n"
    before = pipeline.connection.rows(table)
    for uri in uris[:2]:
        bucket.blob(uri.partition("#")[0].removeprefix("gs://landing/")).delete()
    assert commands.json("backfill", f"{prefix}gone", "--dry-run") == [], "both are merged"
    pipeline.connection.warehouse.drop_table("local.main.reloaded")
    would = commands.json("backfill", f"{prefix}gone", "--dry-run")
    assert [f"gs://{one['bucket']}/{one['object']}#{one['generation']}" for one in would] == uris[:2]
    would = commands.json("backfill", f"{prefix}kept", "--dry-run")
    assert [f"gs://{one['bucket']}/{one['object']}#{one['generation']}" for one in would] == uris[3:]
    said = commands.run("backfill", f"{prefix}gone", "--yes").stdout
    assert "re-announced 2 files, 2 of them only in the archive" in said
    commands.run("backfill", f"{prefix}kept", "--yes")
    commands.run("wait")
    assert pipeline.connection.rows(table) == before
