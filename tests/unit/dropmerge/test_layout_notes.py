"""`feeds check` tells what a layout costs, and takes it: a note is no problem."""

from pathlib import Path

from deploy.topology import ROOT
from tests.harness.commands import Commands

_ACCOUNTS = (ROOT / "deploy" / "feeds" / "accounts.yaml").read_text(encoding="utf-8")


def test_a_partition_outside_the_key_is_told(tmp_path: Path) -> None:
    """By the place in the file; the contract is OK all the same."""
    path = tmp_path / "accounts.yaml"
    path.write_text(f"{_ACCOUNTS}partition_by: {{column: last_modified, by: month}}\n", encoding="utf-8")
    commands = Commands({"DROPMERGE_STATE": str(tmp_path / "state"), "COLUMNS": "200"})
    done = commands.run("feeds", "check", path)
    line = len(_ACCOUNTS.splitlines()) + 1
    assert f"{path}:{line}:24: note: last_modified is not in the key" in done.stderr
    assert "each MERGE reads all partitions" in done.stderr
    assert "1 contract OK: accounts" in done.stdout
