"""Tests import what they share from tests.harness: only pytest imports modules of tests and conftests."""

import ast
from collections.abc import Iterator
from pathlib import Path

from deploy.topology import ROOT


def _modules(file: Path) -> Iterator[str]:
    """Each part of the dotted names that the file imports, and each name that it imports from one."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (getattr(node, "module", None) or "").split(".")
            yield from (part for one in node.names for part in one.name.split("."))


def test_no_module_imports_a_test_module_or_a_conftest() -> None:
    """Between folders an import rule in pyproject.toml forbids it; within a folder this test does."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    found = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in files
        for module in _modules(file)
        if module == "conftest" or module.startswith("test_")
    ]
    assert found == []
    assert len(files) > 100
