"""One local cloud for all histories."""

from collections.abc import Iterator

import pytest

from tests.harness.cloud import running
from tests.harness.histories.feeds import write_feeds
from tests.harness.pipeline import Pipeline


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("histories")
    feeds = write_feeds(folder / "feeds")
    with running(folder, feeds) as pipeline:
        yield pipeline
