"""One local cloud behind the proxies for all faults."""

from collections.abc import Iterator

import pytest

from tests.harness.faults.cloud import Faulty, faulty_cloud
from tests.harness.feeds import write_feeds
from tests.harness.statements.feeds import write_features


@pytest.fixture(scope="package")
def faulty_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    folder = tmp_path_factory.mktemp("faults")
    feeds = write_feeds(folder / "feeds")
    write_features(feeds)
    with faulty_cloud(folder, feeds) as faulty:
        yield faulty


@pytest.fixture
def faulty(faulty_once: Faulty) -> Iterator[Faulty]:
    """The cloud without armed faults; afterwards killed parts are started again."""
    faulty_once.script.disarm()
    yield faulty_once
    faulty_once.script.disarm()
    faulty_once.revive()
