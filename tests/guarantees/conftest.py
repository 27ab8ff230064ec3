"""One local cloud for all guarantees; each test has keys and objects of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.topology import ROOT
from tests.guarantees.test_real_data import AIRPORTS
from tests.harness.pipeline import Pipeline, running


def write_feeds(folder: Path) -> Path:
    """The accounts feed, one like it that tolerates two bad rows, and airports."""
    folder.mkdir()
    accounts = (ROOT / "deploy" / "feeds" / "accounts.yaml").read_text()
    (folder / "accounts.yaml").write_text(accounts)
    tolerant = accounts.replace("feed: accounts", "feed: tolerant").replace("/accounts/", "/tolerant/")
    tolerant = tolerant.replace("main.accounts", "main.tolerant").replace("at_most: 0", "at_most: 2")
    (folder / "tolerant.yaml").write_text(tolerant)
    (folder / "airports.yaml").write_text(AIRPORTS)
    return folder


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("pipeline")
    feeds = write_feeds(folder / "feeds")
    with running(folder, feeds) as pipeline:
        yield pipeline
