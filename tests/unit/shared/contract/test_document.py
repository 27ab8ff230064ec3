"""A contract's file as YAML, whatever its shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.shared.contract.document import Document, UnreadableError, read_document


def _read(folder: Path, text: str) -> Document:
    path = folder / "f.yaml"
    path.write_text(text)
    return read_document(path)


def test_keys_that_are_there_twice(tmp_path: Path) -> None:
    """At every depth, each where it is there again."""
    found = _read(tmp_path, "a: 1\nb:\n  - {c: 1, c: 2}\na: 2\n").duplicates
    assert [(one.line, one.column, one.what) for one in found] == [
        (4, 1, "a appears twice: only the last one counts"),
        (3, 12, "c appears twice: only the last one counts"),
    ]


def test_a_mapping_may_take_over_another(tmp_path: Path) -> None:
    """And have values of its own, which count."""
    document = _read(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n")
    assert document.duplicates == []
    assert [document.text(("b", name)) for name in ("x", "y")] == ["3", "2"]


def test_keys_that_yaml_misreads(tmp_path: Path) -> None:
    """What takes over another mapping is no key."""
    document = _read(tmp_path, "a: &a {x: 1}\nb: {<<: *a, on: 1}\n2: 1\n")
    found = [(one.line, one.column, one.what) for one in document.misread_keys()]
    assert found == [
        (3, 1, "YAML takes 2 for a number: put it in quotes"),
        (2, 13, "YAML takes on for true or false: put it in quotes"),
    ]


def test_a_list_that_is_in_itself_ends(tmp_path: Path) -> None:
    assert _read(tmp_path, "a: &a [*a]\n").duplicates == []


def test_a_place_that_is_not_there_is_where_it_is_missed(tmp_path: Path) -> None:
    """At the innermost part that is there."""
    document = _read(tmp_path, "a:\n  - {b: 1}\n  - {c: [x, y]}\n")
    places = [("a", 1, "c", 1), ("a", 1, "c", 7), ("a", 1, "d", 0), ("z",), ()]
    found = [document.problem(place, "") for place in places]
    assert [(one.line, one.column) for one in found] == [(3, 13), (3, 9), (3, 5), (1, 1), (1, 1)]
    assert [document.text(place) for place in places] == ["y", None, None, None, None]
    assert document.problem(("a", 1, "c"), "", at_key=True).column == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [b\n", "2:1: not YAML: expected ',' or ']', but got '<stream end>'"),
        (
            "a: 1\nb: {c: 2024-02-30}\n",
            "2:8: YAML takes 2024-02-30 for a date and cannot read it: put it in quotes",
        ),
        ("2024-02-30: 1\n", "1:1: YAML takes 2024-02-30 for a date and cannot read it: put it in quotes"),
        ("a: !!python/name:os.system x\n", "1:4: not YAML: could not determine a constructor for the tag"),
        ("", "1:1: the file is empty"),
    ],
)
def test_a_file_that_is_not_yaml(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        _read(tmp_path, text)
    assert str(caught.value).removeprefix(f"{tmp_path}/f.yaml:").startswith(expected)
