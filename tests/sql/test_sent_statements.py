"""What the services really send is what was analysed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.letters import read_letters, replay
from services.shared.journal import Journal
from tests.faults.cloud import Faulty, faulty_cloud
from tests.sql.feeds import features, sample, write_feeds
from tests.sql.statements import known, unseen

_FEATURES = features()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Faulty]:
    with faulty_cloud(tmp_path, write_feeds(tmp_path / "feeds")) as cloud:
        yield cloud


def test_every_statement_that_is_sent_was_analysed(cloud: Faulty) -> None:
    """Files with every feature of a contract are merged, dead-lettered and replayed; each analysed statement is sent."""
    pipeline = cloud.pipeline
    for feed in _FEATURES.values():
        pipeline.drop("good.csv", sample(feed, marked=True, bad=False), feed.feed)
        pipeline.drop("bad.csv", sample(feed, marked=False, bad=True), feed.feed)
    pipeline.settle()
    assert {letter.reason for letter in pipeline.letters()} == {"too_many_bad_rows"}
    journal = Journal(pipeline.connection.warehouse.client, "ops", "console")
    for batch in read_letters(pipeline.connection):
        for letter in batch:
            replay(pipeline.connection, letter, journal, "test")
    pipeline.settle()
    for feed in _FEATURES.values():
        found = pipeline.connection.rows(f"SELECT * FROM `{feed.table}_current`")
        assert len(found) == 1, feed.feed
    assert unseen(cloud.script.statements, _FEATURES) == []
    import pprint
    from tests.sql.statements import normalised
    pprint.pprint(known(_FEATURES) - set(map(normalised, cloud.script.statements)))
    assert 0
