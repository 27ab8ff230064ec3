"""One local cloud for all guarantees; each test has keys and objects of its own."""

from collections.abc import Iterator

import pytest

from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import Pipeline


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("pipeline")
    feeds = write_feeds(folder / "feeds")
    with running(folder, feeds) as pipeline:
        yield pipeline
