"""One local cloud for all histories."""

import os
from collections.abc import Iterator

import pytest

from deploy.local.cloud import LocalCloud
from tests.guarantees.pipeline import Pipeline
from tests.truth.feeds import write_feeds


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("truth")
    feeds = write_feeds(folder / "feeds")
    before = dict(os.environ)
    cloud = LocalCloud(folder / "state", environ={})
    cloud.up(0, feeds)
    try:
        yield Pipeline(cloud, feeds)
    finally:
        cloud.down()
        os.environ.clear()
        os.environ.update(before)
