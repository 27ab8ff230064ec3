"""A contract whose statements BigQuery would refuse for their length is found before it is deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropmerge.operations.feeds import statements
from dropmerge.operations.feeds.contracts import check_contracts
from services.shared.contract.reader import read_feed
from services.shared.contract.types import TYPES

_HEAD = """\
feed: wide
objects: incoming/wide/*
format: {type: csv}
table: main.wide
key: [id]
version: v
columns:
- {name: id,type: STRING}
- {name: v,type: INT64}
"""


def _contract(folder: Path, columns: int, kind: str, name: str = "c") -> Path:
    path = folder / "wide.yaml"
    path.write_text(_HEAD + "".join(f"- {{name: {name}{n},type: {kind}}}\n" for n in range(columns)))
    return path


@pytest.mark.parametrize(
    ("columns", "kind", "name", "expected"),
    [
        (600, "NUMERIC", "c", []),
        (1100, "NUMERIC", "c", ["checks a file's rows"]),
        (600, "STRING", "c" * 100, ["merges a file"]),
        (1000, "STRING", "c" * 100, ["checks a file's rows", "merges a file"]),
    ],
)
def test_a_statement_that_is_too_long_is_named(
    tmp_path: Path, columns: int, kind: str, name: str, expected: list[str]
) -> None:
    """At the columns, of which there are too many."""
    path = _contract(tmp_path, columns, kind, name)
    problems = check_contracts([path], tmp_path).problems
    assert [(problem.line, problem.what.partition(" has ")[0]) for problem in problems] == [
        (8, f"columns: the statement that {what}") for what in expected
    ]


def test_formats_are_measured_in_a_short_contract_too(tmp_path: Path) -> None:
    """Each makes thousands of bytes of a line."""
    path = _contract(tmp_path, 170, "TIMESTAMP,format: '%A%B%d%y%I%p%z'")
    assert path.stat().st_size < 10_000
    problems = check_contracts([path], tmp_path).problems
    assert ["checks a file's rows" in problem.what for problem in problems] == [True]


@pytest.mark.parametrize("kind", TYPES)
def test_what_is_not_measured_is_short_enough(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract of 10,000 bytes with as many columns as it can have does not come near the limit."""
    monkeypatch.setattr(statements, "LIMIT", 600_000)
    path = _contract(tmp_path, 380, kind)
    assert path.stat().st_size > 9_000
    assert not list(statements.too_long(read_feed(path)))
