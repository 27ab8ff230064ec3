"""A contract that says the shape of CSV files, and what is wrong with one, at its line and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.shared.contract.feed import Feed
from services.shared.contract.reader import check
from services.shared.contract.shape import by_title, titles
from services.shared.contract.synonyms import in_our_words

_CONTRACT = """\
feed: orders
objects: incoming/orders/*
format: {type: csv%s}
table: main.orders
key: [id]
version: _generation
columns:
  - {name: id, type: STRING%s}
  - {name: a, type: INT64}
unknown_columns: %s
"""


@pytest.mark.parametrize(
    ("form", "column", "unknown", "expected"),
    [
        (r", delimiter: '\t'", "", "reject", r"""3:32: format.delimiter: '\\t' is not one ASCII character, such as ';' or "\t": write "\t" in double quotes for a tab"""),
        (", header: no thing", "", "reject", "3:29: format.header: 'no thing' is not true or false"),
        (", skip: -1", "", "reject", "3:27: format.skip: '-1' is not a number of lines up to 1000, such as 2"),
        (", skip_leading_rows: x", "", "reject", "3:40: format.skip_leading_rows: 'x' is not a number of lines: it is 1 or more, the header's line counted in (header: false if there is none)"),
        (", blank_lines: keep", "", "reject", "3:34: format.blank_lines: 'keep' is not skip, skip_empty or reject"),
        (", short_lines: pad", "", "reject", "3:34: format.short_lines: 'pad' is not reject or fill"),
        (""", quote: "'\"""", "", "reject", """3:28: format.quote: "'" is not '"' or none"""),
        (", escape: '^'", "", "reject", r"3:29: format.escape: '^' is not '\'"),
        (", final_newlin: true", "", "reject", "3:21: format.final_newlin: is not an option of a contract; did you mean final_newline?"),
        (", quoted_newlines: no newlines", "", "reject", "3:38: format.quoted_newlines: 'no newlines' is not true or false"),
        (", quote: none, quoted_newlines: false", "", "reject", "3:51: format.quoted_newlines: says nothing with quote: none or escape, where a record is a line already: leave it out"),
        (r", escape: '\', allow_quoted_newlines: false", "", "reject", "3:57: format.allow_quoted_newlines: says nothing with quote: none or escape, where a record is a line already: leave it out"),
        (", quoted_newlines: false", r', from: "a\nb"', "reject", r"8:36: columns.0.from: 'a\nb' has a line end, which no field of these files has: leave it out"),
        ("", ", from: 0", "reject", "8:36: columns.0.from: '0' is not the column's name in the files' header, any text, or its place from 1"),
        ("", ", from: yes", "reject", "8:36: columns.0.from: YAML reads yes as true, not as text: put it in quotes"),
        (", header: false", ", from: x", "reject", "8:36: columns.0.from: 'x' is a name, and a file without a header has none: write a place, such as 2"),
        (", header: false", ", from: 2", "ignore", "9:5: columns.1: other columns have a place, so this one needs it too: write from: and its place, such as 2"),
        (", header: false", "", "add", "10:18: unknown_columns: add needs names, and a file without a header has none: write reject or ignore"),
        (r""", escape: '\', delimiter: '\'""", "", "reject", "3:29: format.escape: the delimiter cannot be what escapes it"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(
    tmp_path: Path, form: str, column: str, unknown: str, expected: str
) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(_CONTRACT % (form, column, unknown))
    assert [str(one).removeprefix(f"{path}:") for one in check(path)[1]] == [expected]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"field_delimiter": ";"}, {"delimiter": ";"}),
        ({"skip_leading_rows": 2}, {"skip": 1}),
        ({"skip_leading_rows": 2, "header": False}, {"skip": 2, "header": False}),
        ({"allow_jagged_rows": True}, {"short_lines": "fill"}),
        ({"allow_quoted_newlines": False}, {"quoted_newlines": False}),
        ({"quote_character": ""}, {"quote": ""}),
    ],
)
def test_bigquerys_names_mean_the_same(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    assert in_our_words({"format": theirs}) == ({"format": ours}, [])


def _feed(froms: dict[str, Any], **form: Any) -> Feed:
    columns = [{"name": n, "type": "STRING", **({} if f is None else {"from": f})} for n, f in froms.items()]
    fixed = {"feed": "orders", "objects": "x/*", "table": "main.orders", "key": [next(iter(froms))]}
    return Feed.model_validate(
        {
            **{**fixed, "version": "_generation", "columns": columns, "unknown_columns": "ignore"},
            "format": {"type": "csv", **form},
            "delete": {"column": "op", "equals": "D", **({"from": 9} if 3 in froms.values() and form else {})},
        }
    )


def test_the_header_of_a_file_that_has_all() -> None:
    """Each column once, at its place or in the contract's order."""
    mixed = _feed({"id": "", "a": 1, "x": "a", "b": 5})
    assert titles(mixed) == ["_1", "", "a", "op", "b"]
    assert by_title(mixed) == {"id": "", "a": "_1", "x": "a", "b": "b", "op": "op"}
    assert titles(_feed({"id": None, "a": None}, header=False)) == ["id", "a", "op"]
    assert titles(_feed({"id": 3}, header=False))[2::6] == ["id", "op"]


def test_a_contract_that_says_nothing_has_the_identity_that_it_had() -> None:
    """Options that are as they would be without are left out of it."""
    plain = _feed({"id": None})
    said = _feed({"id": None}, header=True, skip=0, blank_lines="skip", short_lines="reject", quote='"')
    assert plain.fingerprint == said.fingerprint
    assert plain.fingerprint != _feed({"id": None}, skip=1).fingerprint
