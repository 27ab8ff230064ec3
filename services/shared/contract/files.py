"""Which files of a folder are contracts."""

from __future__ import annotations

from pathlib import Path

PATTERNS = "*.yaml, *.yml"
"""For people."""


def contract_files(folder: Path) -> list[Path]:
    """By name; none where there is no such folder."""
    return sorted(path for path in folder.glob("*") if path.suffix in (".yaml", ".yml"))
