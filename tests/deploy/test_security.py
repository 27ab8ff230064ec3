"""SECURITY.md names a test for each threat."""

from __future__ import annotations

import re

from deploy.topology import ROOT


def test_every_threat_names_tests_that_exist() -> None:
    """Tests are named by their functions."""
    table = (ROOT / "SECURITY.md").read_text().partition("| threat |")[2].partition("\n\n")[0]
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    rows = table.splitlines()[2:]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert set(named) <= defined, set(named) - defined
