"""One local cloud that the whole corpus is dropped on at once."""

from collections.abc import Iterator

import pytest

from tests.corpus.corpus import Outcomes, run
from tests.corpus.feeds import write_feeds
from tests.harness.cloud import running
from tests.harness.pipeline import Pipeline


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("corpus")
    feeds = write_feeds(folder / "feeds")
    with running(folder, feeds) as pipeline:
        yield pipeline


@pytest.fixture(scope="package")
def outcomes(pipeline: Pipeline) -> Outcomes:
    return run(pipeline)
