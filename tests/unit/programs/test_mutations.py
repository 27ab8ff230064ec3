"""The mutations still fit what they break, and the page that lists them lists them all."""

import ast

import pytest

from deploy.topology import ROOT
from tests.programs.mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_fits_the_project(mutation: Mutation) -> None:
    """What it replaces is there once, and so is the test that must fail."""
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1
    path, _, test = mutation.test.partition("::")
    functions = ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    assert test.partition("[")[0] in {one.name for one in functions if isinstance(one, ast.FunctionDef)}


def test_the_guarantees_page_lists_each_mutation_with_its_test() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    rows = [f"| {one.guarantee} | `{one.name}` | `{one.test.removeprefix('tests/')}` |" for one in MUTATIONS]
    assert [row for row in rows if row not in page] == []


def test_each_guarantee_is_broken_by_a_mutation() -> None:
    assert {f"G{n}" for n in range(1, 11)} <= {mutation.guarantee for mutation in MUTATIONS}
