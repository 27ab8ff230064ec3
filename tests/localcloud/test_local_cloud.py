"""Commands say that no local cloud is running, or which of its parts failed."""

from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from dropmerge.cli.main import app
from localcloud.cloud import LocalCloud
from localcloud.errors import CloudError


def test_env_says_that_nothing_is_up(tmp_path: Path) -> None:
    """`env` exits 1 and names the remedy when no local cloud is running in the state."""
    result = CliRunner().invoke(app, ["env", "--state", str(tmp_path)])
    assert result.exit_code == 1
    assert "dropmerge up" in result.output


def test_a_part_that_fails_leaves_no_process(tmp_path: Path) -> None:
    """When a function cannot be loaded, `up` shows its log and stops the rest."""
    for name in ("ingest", "merge"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "main.py").write_text("raise RuntimeError('a broken part')\n")
    cloud = LocalCloud(tmp_path / "state", environ={})
    with pytest.raises(CloudError, match="a broken part"):
        cloud.up(port_base=0, services=tmp_path / "services")
    running = psutil.process_iter(["cmdline"])  # a zombie has none
    assert not [p for p in running if str(tmp_path) in " ".join(p.info["cmdline"] or [])]
    assert not cloud.is_recorded()
