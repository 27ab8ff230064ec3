"""A local cloud that runs for as long as a test needs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcloud.cloud import LocalCloud
from tests.harness.pipeline import Pipeline


@contextmanager
def running(folder: Path, feeds: Path, services: Path | None = None) -> Iterator[Pipeline]:
    """Run a local cloud of its own in `folder`; afterwards it is stopped and the environment is as before."""
    cloud = LocalCloud(folder / "state", environ={})
    before = dict(os.environ)
    cloud.up(0, feeds, services)
    try:
        yield Pipeline(cloud, feeds)
    finally:
        cloud.down()
        os.environ.clear()
        os.environ.update(before)
