"""What the services really send is what BigQuery's own front end has analysed."""

from services.console.letters import give_back, read_letters, replay
from services.shared.feed import read_feeds
from services.shared.journal import Journal
from tests.faults.cloud import Faulty
from tests.sql.feeds import features, sample
from tests.sql.statements import known, normalised, unseen


def test_every_statement_that_is_sent_was_analysed(faulty: Faulty) -> None:
    """Files with every feature of a contract end merged or dead-lettered, and each analysed statement is sent."""
    pipeline, feeds = faulty.pipeline, features()
    for feed in feeds.values():
        pipeline.drop("good.csv", sample(feed, marked=True, bad=False), feed.feed)
        pipeline.drop("bad.csv", sample(feed, marked=False, bad=True), feed.feed)
    pipeline.settle()
    journal = Journal(pipeline.connection.warehouse.client, "ops", "console")
    letters = [letter for batch in read_letters(pipeline.connection) for letter in batch]
    mine = {letter.feed: letter for letter in letters if letter.feed in feeds}
    give_back(pipeline.connection, [letter for letter in letters if letter.feed not in feeds])
    assert {feed: letter.reason for feed, letter in mine.items()} == {
        name: "too_many_bad_rows" for name, feed in feeds.items() if not feed.bad_rows.at_most
    }
    for letter in mine.values():
        replay(pipeline.connection, letter, journal, "test")
    pipeline.settle()
    current = [pipeline.connection.rows(f"SELECT * FROM `{feed.table}_current`") for feed in feeds.values()]
    assert [len(rows) for rows in current] == [1] * len(feeds)
    assert unseen(faulty.script.statements, read_feeds(faulty.feeds)) == []
    assert known(feeds) <= set(map(normalised, faulty.script.statements))
