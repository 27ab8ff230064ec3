"""What the services really send is what BigQuery's own front end has analysed."""

import re

from dropmerge.operations.dead_letters.replay import replay_batch
from dropmerge.operations.dead_letters.subscription import DeadLetterSubscription
from services.shared.contract.reader import read_feeds
from services.shared.labels import FEED, RELEASE, SERVICE, value
from services.shared.release import VERSION
from tests.harness.faults.cloud import Faulty
from tests.harness.pipeline import HEADER, row
from tests.harness.statements.feeds import features, sample
from tests.harness.statements.statements import known, normalised, unseen
from tests.harness.subscription import paused_subscription, pull, wait_until

_SENT = ("every_key", "rescue", "add", "newest_file", "append", "snapshot", "latin")
"""Feeds between which statements differ in more than names and types. Wider ones take the local warehouse minutes."""


def test_every_statement_that_is_sent_was_analysed(faulty: Faulty) -> None:
    """Files with every feature of a contract end merged or dead-lettered, and each analysed statement is sent."""
    pipeline, feeds = faulty.pipeline, {name: features()[name] for name in _SENT}
    for feed in feeds.values():
        pipeline.drop("good.csv", sample(feed, "marked", bad=False), feed.name)
        pipeline.drop("bare.csv", sample(feed, "bare", bad=False), feed.name)
        for shape in ("marked", "bare", "plain"):
            pipeline.drop(f"twice-{shape}.csv", sample(feed, shape, bad=False, times=2), feed.name)
        pipeline.drop("bad.csv", sample(feed, "plain", bad=True), feed.name)
    pipeline.wait_until_idle()
    with DeadLetterSubscription(pipeline.connection) as mailbox:
        dead_letters = [
            dead_letter for batch in mailbox.batches() for dead_letter in batch if dead_letter.feed in feeds
        ]
        assert {dead_letter.feed: dead_letter.reason for dead_letter in dead_letters} == {
            name: "too_many_bad_rows" for name, feed in feeds.items() if not feed.bad_rows.at_most
        }
        replay_batch(pipeline.connection, mailbox, dead_letters)
    pipeline.wait_until_idle()
    current = [pipeline.connection.rows(f"SELECT * FROM `{feed.table}_current`") for feed in feeds.values()]
    # Without a key each row of the files that are merged is one.
    assert [len(rows) for rows in current] == [1 if feed.key else 8 for feed in feeds.values()]
    sent = set(map(normalised, faulty.script.statements))
    # Of the tests before this one too, whichever they were.
    named = {name for sql, _ in sent for name in re.findall(rf"\('{FEED}', '(\w+)'\)", sql)}
    assert named.issuperset(_SENT)
    served = {name: feed for name, feed in read_feeds(faulty.feeds).items() if name in named}
    assert unseen(faulty.script.statements, served) == []
    # Duplicates are counted of files only in which a key is there again.
    assert [one for one in known(feeds) - sent if not one[0].startswith("SELECT COUNT(*) AS duplicate_keys")] == []


def test_every_job_says_who_it_is_for(faulty: Faulty) -> None:
    """Each query and load job of a file has the labels of its service, release and feed; the tables that stay too."""
    pipeline, before = faulty.pipeline, len(faulty.script.jobs)
    pipeline.drop("labelled.csv", HEADER + row("labelled", 640) + row("labelled-bad", "many"), "tolerant")
    pipeline.wait_until_idle()
    labels = [job.get("labels", {}) for job in faulty.script.jobs[before:]]
    release = {RELEASE: value(VERSION)}
    # A service that has just been started makes its own tables and views, for no feed.
    assert [one for one in labels if not release.items() <= one.items() or SERVICE not in one] == []
    mine = [one[SERVICE] for one in labels if one.get(FEED) == "tolerant"]
    kinds = ["load" if "load" in job else "query" for job in faulty.script.jobs[before:]]
    assert kinds.count("load") == 1
    assert labels[kinds.index("load")] == {SERVICE: "ingest", FEED: "tolerant", **release}
    assert set(mine) == {"ingest", "merge"}
    assert {one.get(FEED, "tolerant") for one in labels} == {"tolerant"}
    table = pipeline.connection.warehouse.find_table("local.main.tolerant")
    lock = pipeline.connection.warehouse.find_table("local.ops.lock_main_tolerant")
    found = [one.labels if one else {} for one in (table, lock)]
    assert [{name: one.get(name) for name in (FEED, SERVICE, RELEASE)} for one in found] == [
        {FEED: "tolerant", SERVICE: "merge", **release}
    ] * 2


def test_g7_a_backfill_of_good_files_changes_no_rejected_rows(faulty: Faulty) -> None:
    """BigQuery lets 20 statements that change rows wait for a table: a reload of thousands of files would fail."""
    pipeline = faulty.pipeline
    with paused_subscription(pipeline, "ingest"):
        uri = pipeline.drop("reloaded.csv", HEADER + row("reloaded", 650))
        wait_until(lambda: pull(pipeline, "ingest", lambda _: True), "notified")
    pipeline.announce(uri, announced_by="backfill")
    pipeline.wait_until_idle()
    load_id = pipeline.load_id(uri)
    mine = [sql for sql, _ in faulty.script.statements if load_id in sql]
    assert pipeline.scores(["reloaded"]) == {"reloaded": 650}
    assert len(mine) >= 3
    assert [sql for sql in mine if "rejected_rows" in sql] == []
