"""What columns, key, version, delete and tolerance of a contract may be to each other."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.shared.contract.feed import BadRows, Feed


def _feed(**more: object) -> Feed:
    fields: dict[str, Any] = {
        "feed": "f",
        "objects": "incoming/f/*",
        "format": {"type": "csv"},
        "table": "main.f",
        "key": ["id"],
        "version": "v",
        "columns": [{"name": "id", "type": "STRING"}, {"name": "v", "type": "INT64"}],
        **more,
    }
    return Feed.model_validate(fields)


def _with(**column: object) -> Feed:
    columns = [{"name": "id", "type": "STRING"}, {"name": "v", "type": "INT64"}]
    return _feed(columns=[*columns, {"name": "a", "type": "INT64", **column}])


def _faults(caught: pytest.ExceptionInfo[ValidationError]) -> list[tuple[tuple[str | int, ...], str]]:
    return [(one["loc"], one["msg"]) for one in caught.value.errors()]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ({"default": "x"}, "'x' is not the text of a INT64: `[+-]digits`"),
        ({"default": "1.5", "type": "DATE"}, "'1.5' is not the text of a DATE"),
        ({"default": "1", "mode": "REQUIRED"}, "no file may lack a, which is"),
    ],
)
def test_a_default_that_cannot_be(column: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _with(**column)
    ((place, said),) = _faults(caught)
    assert place == ("columns", 2, "default")
    assert words in said


@pytest.mark.parametrize("number", [0, 1])
def test_neither_key_nor_version_has_a_default(number: int) -> None:
    """Whatever lacks them cannot be merged."""
    columns: list[dict[str, object]] = [{"name": "id", "type": "STRING"}, {"name": "v", "type": "INT64"}]
    columns[number]["default"] = "1"
    with pytest.raises(ValidationError) as caught:
        _feed(columns=columns)
    assert [place for place, _ in _faults(caught)] == [("columns", number, "default")]


def test_a_default_is_the_text_of_a_value() -> None:
    assert _with(default="-7").columns[2].default == "-7"
    assert _with(default="any", type="STRING").columns[2].default == "any"


def test_each_fault_is_told_at_once() -> None:
    """Nobody fixes a contract fault by fault."""
    with pytest.raises(ValidationError) as caught:
        _with(name="v", default="x", check="b > 1")
    assert {place for place, _ in _faults(caught)} == {
        ("columns", 2, "name"),
        ("columns", 2, "default"),
        ("columns", 2, "check"),
    }


@pytest.mark.parametrize(
    ("others", "number", "words"),
    [
        (["I", "D"], 1, "marks a delete"),
        (["I", "U", "I"], 2, "is listed twice"),
        (["", "I", ""], 2, "'' is listed twice"),
    ],
)
def test_the_other_texts_of_a_delete_column(others: list[str], number: int, words: str) -> None:
    """Each once, none of them the delete's own."""
    with pytest.raises(ValidationError) as caught:
        _feed(delete={"column": "op", "equals": "D", "others": others})
    ((place, said),) = _faults(caught)
    assert place == ("delete", "others", number)
    assert words in said


def test_a_delete_column_may_name_its_other_texts() -> None:
    """An empty one among them."""
    found = _feed(delete={"column": "op", "equals": "D", "others": ["I", ""]}).delete
    assert found is not None
    assert found.others == ["I", ""]


def test_missing_columns_as_yaml_reads_null() -> None:
    assert _feed(missing_columns=None).missing_columns == "null"
    assert _feed(missing_columns="reject").missing_columns == "reject"


def test_a_types_spelling_does_not_change_the_fingerprint() -> None:
    """A contract pasted from `bq show --schema` is the same contract."""
    assert _with(type="INTEGER").fingerprint == _with().fingerprint
    assert _with(type="INTEGER").columns[2].type == "INT64"


@pytest.mark.parametrize(
    ("at_most", "bad", "rows", "tolerated"),
    [
        (2, 2, 2, True),
        (2, 3, 3000, False),
        ("0.1%", 1, 1000, True),
        ("0.1%", 2, 1999, False),
        ("0.7%", 77, 11_000, True),
        ("2.3%", 69, 3000, True),
        ("0.000000001%", 1, 100_000_000_000, True),
        ("0.000000001%", 1, 99_999_999_999, False),
        ("100%", 5, 5, True),
        ("0%", 1, 10**9, False),
    ],
)
def test_g7_a_share_is_exact(at_most: int | str, bad: int, rows: int, tolerated: bool) -> None:
    assert BadRows(at_most=at_most).tolerates(bad, rows) == tolerated


@pytest.mark.parametrize("at_most", [True, -1, 1.0, None, "1", "101%", "100.1%", "-1%", "1 %", "1%\n", "٣%", [1]])
def test_g7_a_tolerance_that_cannot_be_meant(at_most: object) -> None:
    with pytest.raises(ValidationError):
        BadRows.model_validate({"at_most": at_most})


@pytest.mark.parametrize(
    ("columns", "delete", "expected"),
    [
        ([{"from": "X"}, {"from": "X"}], {}, [(("columns", 3, "from"), "'X' is read into c2")]),
        ([{"from": "c3"}, {}], {}, [(("columns", 3, "from"), "'c3' is read into c2")]),
        ([{"from": "X"}, {}], {"from": "X"}, [(("delete", "from"), "'X' is read into c2")]),
        ([{"from": "op"}, {}], {}, [(("delete", "from"), "'op' is read into c2")]),
        ([{"from": "c3"}, {"from": "c2"}], {"from": "_op"}, []),
        ([{"from": ""}, {"from": " "}], {}, []),
    ],
)
def test_a_name_in_the_header_is_read_once(
    columns: list[dict[str, str]], delete: dict[str, str], expected: list[Any]
) -> None:
    """Names may be exchanged; no file has one of them twice."""
    fixed = [{"name": "id", "type": "STRING"}, {"name": "v", "type": "INT64"}]
    others = [{"name": f"c{n}", "type": "STRING", **more} for n, more in enumerate(columns, 2)]
    fields = {"columns": [*fixed, *others], "delete": {"column": "op", "equals": "D", **delete}}
    if not expected:
        _feed(**fields)
        return
    with pytest.raises(ValidationError) as caught:
        _feed(**fields)
    assert _faults(caught) == expected


def test_a_contract_with_names_of_the_header_is_what_it_was_when_written_and_read() -> None:
    feed = _with(**{"from": "Größe"})
    assert feed.columns[2].in_file == "Größe"
    assert Feed.model_validate(feed.model_dump(mode="json", exclude_none=True)) == feed
    assert feed.fingerprint not in (_with().fingerprint, _with(**{"from": "a"}).fingerprint)
