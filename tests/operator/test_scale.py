"""The program that measures commands over much that is kept, in small: what it fills in is what commands read."""

import pytest

from tests.harness.cloud import running
from tests.harness.feeds import write_feeds_of_folders
from tests.programs.console_scale import fill, measure


def test_the_program_fills_a_pipeline_that_the_commands_understand(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No load is in flight or unknown, and each command ends well."""
    folder = tmp_path_factory.mktemp("scale")
    with running(folder, write_feeds_of_folders(folder / "feeds")) as pipeline:
        filled = fill(pipeline, 25, 10)
        found = measure(filled, 1, only=["status", "explain FILE"])
        assert {what: one["failed"] for what, one in found.items()} == {"status": 0, "explain FILE": 0}
        assert pipeline.explain(str(filled.loads[3].source))["state"] == "merged"
