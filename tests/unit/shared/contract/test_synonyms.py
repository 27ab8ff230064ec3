"""A contract in BigQuery's words, where they mean the same, is the contract in ours."""

from __future__ import annotations

from typing import Any

import pytest

from services.shared.contract.feed import Feed
from services.shared.contract.synonyms import FORMAT, Synonym, as_written, in_our_words

_COLUMNS = [{"name": "id", "type": "STRING"}, {"name": "v", "type": "TIMESTAMP"}]
_FEED: dict[str, Any] = {
    "feed": "f", "objects": "f/*", "format": {"type": "csv"}, "table": "main.f", "key": ["id"], "version": "v",
    "columns": _COLUMNS,
}  # fmt: skip


def _with(part: str, **more: object) -> Feed:
    if part == "format":
        return Feed.model_validate({**_FEED, "format": more})
    if part == "column":
        return Feed.model_validate({**_FEED, "columns": [_COLUMNS[0] | more, _COLUMNS[1]]})
    return Feed.model_validate({**_FEED, **more})


@pytest.mark.parametrize(
    ("part", "theirs", "ours"),
    [
        ("format", {"source_format": "CSV", "null_marker": "NA"}, {"type": "csv", "nulls": ["NA"]}),
        ("format", {"type": "csv", "null_markers": ["NA", "-"]}, {"type": "csv", "nulls": ["NA", "-"]}),
        ("format", {"type": "csv", "field_delimiter": "\\t"}, {"type": "csv", "delimiter": "\t"}),
        ("format", {"type": "csv", "encoding": "UTF8"}, {"type": "csv"}),
        ("format", {"type": "csv", "encoding": "ISO_8859_1"}, {"type": "csv", "encoding": "iso-8859-1"}),
        ("format", {"source_format": "NEWLINE_DELIMITED_JSON"}, {"type": "ndjson"}),
        ("feed", {"max_bad_records": 3}, {"bad_rows": {"at_most": 3}}),
        ("feed", {"ignore_unknown_values": True}, {"unknown_columns": "ignore"}),
        ("feed", {"ignore_unknown_values": False}, {}),
        ("column", {"maxLength": "12"}, {"max_length": 12}),
        ("column", {"null_markers": []}, {"nulls": []}),
        ("column", {"type": "TIMESTAMP", "time_zone": "UTC"}, {"type": "TIMESTAMP", "zone": "UTC"}),
    ],
)
def test_a_synonym_means_the_same(part: str, theirs: dict[str, object], ours: dict[str, object]) -> None:
    """One contract, and one fingerprint."""
    feed = _with(part, **theirs)
    assert feed == _with(part, **ours)
    assert feed.fingerprint == _with(part, **ours).fingerprint


def test_what_no_format_has_is_no_synonym() -> None:
    """It is an unknown key of a contract, as it would be without a word for it."""
    known = {one.target for one in FORMAT}
    found, faults = in_our_words({"format": {"type": "csv", "allow_jagged_rows": True}})
    expected = {"short_lines": "fill"} if "short_lines" in known else {"allow_jagged_rows": True}
    assert (found, faults) == ({"format": {"type": "csv", **expected}}, [])


def test_a_contract_is_left_as_it_is() -> None:
    """What is read is a copy: errors are told by what the file has."""
    content: dict[str, Any] = {
        "max_bad_records": 1,
        "format": {"null_marker": "x"},
        "columns": [{"time_zone": "UTC"}, 7],
    }
    before = str(content)
    in_our_words(content)
    assert str(content) == before


@pytest.mark.parametrize("content", [None, "x", [], {}, {"format": 1, "columns": "x"}, {"columns": {"a": 1}}])
def test_what_is_no_contract_is_left_to_others(content: object) -> None:
    assert in_our_words(content) == (content, [])


@pytest.mark.parametrize(
    ("place", "written"),
    [
        (("format", "nulls", 1), ("format", "null_markers", 1)),
        (("bad_rows", "at_most"), ("max_bad_records",)),
        (("columns", 0, "zone"), ("columns", 0, "time_zone")),
        (("columns", 1, "zone"), ("columns", 1, "zone")),
        (("delete", "equals"), ("delete", "equals")),
        (("key", 3), ("key", 3)),
    ],
)
def test_a_place_is_told_by_the_words_of_the_file(
    place: tuple[str | int, ...], written: tuple[str | int, ...]
) -> None:
    content = {
        "format": {"null_markers": ["a", ""]},
        "max_bad_records": -1,
        "columns": [{"time_zone": "x"}, {"zone": "x"}],
        "key": [],
    }
    assert as_written(place, content) == written


@pytest.mark.parametrize(
    ("format_", "lines"),
    [({}, 2), ({"header": True}, 2), ({"header": False}, 3)],
)
def test_the_header_is_one_of_the_rows_that_bigquery_skips(format_: dict[str, object], lines: int) -> None:
    (skip,) = [one for one in _all() if one.word == "skip_leading_rows"]
    assert skip.meaning(3, format_) == lines
    for wrong in (-1, "3", True, *([] if format_.get("header") is False else [0])):
        with pytest.raises(ValueError, match="is not a number of lines"):
            skip.meaning(wrong, format_)


def _all() -> tuple[Synonym, ...]:
    from services.shared.contract import synonyms

    return synonyms._FORMAT
