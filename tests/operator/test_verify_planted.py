"""The program that plants changes in a large table, in a small one."""

from __future__ import annotations

from pathlib import Path

from tests.harness.cloud import running
from tests.harness.feeds import write_feeds
from tests.programs.verify_million import check


def test_g1_every_planted_change_is_found_and_a_rebuild_takes_them_back(tmp_path: Path) -> None:
    """Both commands are killed with SIGKILL before, and files are dropped during the rebuild."""
    with running(tmp_path, write_feeds(tmp_path / "feeds")) as pipeline:
        figures, faults = check(pipeline, tmp_path, rows=2000, changes=20, kills=1, count=8)
    assert faults == []
    assert figures["planted"] == figures["found"] == 20
