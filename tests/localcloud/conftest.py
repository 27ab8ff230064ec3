"""A local cloud for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.cloud import LocalCloud


@pytest.fixture(scope="session")
def local_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud on free ports with the project's own services, stopped at the end."""
    cloud = LocalCloud(Path(tmp_path_factory.mktemp("cloud")), environ={})
    cloud.up(port_base=0)
    yield cloud
    cloud.down()
