"""The services' functions stay short: the story is read at a glance, and one function has one idea."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

from deploy.topology import ROOT


def _lengths(folder: Path) -> Iterator[tuple[int, str]]:
    """Lines from `def` to the last statement without the docstring, and the function's name."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield lines - _lines_of_docstring(node), f"{path.name}:{node.name}"


def _lines_of_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    if ast.get_docstring(node) is None:
        return 0
    return (node.body[0].end_lineno or 0) - node.body[0].lineno + 1


@pytest.mark.parametrize("folder", ["services/shared", "services/ingest", "services/merge"])
def test_functions_are_short(folder: str) -> None:
    lengths = sorted(_lengths(ROOT / folder))
    lines = [count for count, _ in lengths]
    assert lengths[-1][0] <= 40, lengths[-1]
    assert quantiles(lines, n=10, method="inclusive")[-1] <= 18, lengths[-len(lengths) // 10 :]
    assert median(lines) <= 5, median(lines)
