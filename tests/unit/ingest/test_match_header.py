"""A header fits its contract, or is refused with every name that is missing, unknown or meant otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from services.ingest.inspect_head import inspect_head
from services.ingest.match_header import Layout, match_header
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError

_MODES = ("reject", "ignore", "rescue", "add")


def _feed(**more: Any) -> Feed:
    columns = [
        {"name": "id", "type": "STRING"},
        {"name": "version", "type": "INT64"},
        {"name": "unit_price", "type": "NUMERIC"},
        {"name": "name", "type": "STRING", "default": "none"},
        {"name": "kind", "type": "STRING", "mode": "REQUIRED"},
    ]
    fields = {"objects": "x/*", "format": {"type": "csv"}, "table": "main.things", "key": ["id"], "version": "version"}
    delete = {"column": "op", "equals": "D"}
    return Feed.model_validate({"feed": "things", "columns": columns, "delete": delete, **fields, **more})


def _refusal(header: str, delimiter: str = ",", **more: Any) -> str:
    with pytest.raises(PermanentError) as caught:
        match_header(header.split(delimiter), _feed(format={"type": "csv", "delimiter": delimiter}, **more))
    assert caught.value.reason == "wrong_header"
    assert caught.value.detail.startswith("the header does not match feed things")
    return caught.value.detail.removeprefix("the header does not match feed things").removeprefix(": ")


def test_blanks_around_a_name_are_no_part_of_it_if_the_contract_says_so() -> None:
    """As they are none of a text."""
    head = b"id ,\tversion,  kind\na,1,k\n"
    layout = inspect_head(head, len(head), _feed(format={"type": "csv", "trim": True}))
    assert layout == Layout(("id", "version", "kind"), False)
    with pytest.raises(PermanentError, match="column id is missing"):
        inspect_head(head, len(head), _feed())


def test_a_nullable_column_may_be_missing() -> None:
    """With a default or without, and the delete column."""
    assert match_header(["id", "kind", "version"], _feed()) == Layout(("id", "kind", "version"), False)


@pytest.mark.parametrize("name", ["id", "version", "kind"])
def test_g7_key_version_and_required_columns_must_be_there(name: str) -> None:
    names = [one for one in ("id", "version", "unit_price", "name", "kind") if one != name]
    assert _refusal(",".join(names)) == f"column {name} is missing"


def test_a_feed_may_refuse_a_file_that_lacks_any_column() -> None:
    """A default does not help there; the delete column may be absent all the same."""
    assert _refusal("id,version,kind", missing_columns="reject") == "columns unit_price, name are missing"
    assert match_header(["id", "version", "unit_price", "name", "kind"], _feed(missing_columns="reject"))


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize(
    "name", ["Unit_Price", " unit_price", "unit price", "unit-price", "unitPrice", "unit_price\xa0"]
)
def test_g1_a_column_that_is_spelt_otherwise_is_never_null(name: str, mode: str) -> None:
    """Whatever the feed does with unknown columns."""
    assert f"column {name!r} is not in the contract (did you mean unit_price?)" in _refusal(
        f"id,version,kind,{name}", unknown_columns=mode
    )


@pytest.mark.parametrize("mode", _MODES)
def test_g3_a_delete_column_that_is_spelt_otherwise_is_not_overlooked(mode: str) -> None:
    """Else each delete would be an update."""
    assert "column 'Op' is not in the contract (did you mean op?)" in _refusal(
        "id,version,kind,Op", unknown_columns=mode
    )


@pytest.mark.parametrize("mode", _MODES[1:])
def test_a_name_that_is_only_like_another_is_a_column_of_its_own(mode: str) -> None:
    """Where the feed refuses unknown columns, the likeness is named."""
    assert match_header(["id", "version", "kind", "name2"], _feed(unknown_columns=mode))
    assert _refusal("id,version,kind,name2,z") == (
        "column 'name2' is not in the contract (did you mean name?); column 'z' is not in the contract"
    )


def test_another_spelling_beside_the_column_itself_is_unknown() -> None:
    """BigQuery alone cannot tell the two apart in one table."""
    header = ["id", "version", "kind", "op", "name", "Name", "OP"]
    assert match_header(header, _feed(unknown_columns="ignore")).columns == (*header[:5], "_unknown_5", "_unknown_6")
    assert _refusal(",".join(header), unknown_columns="add") == (
        "columns 'Name', 'OP' are like another one to BigQuery, which ignores case"
    )


def test_unknown_columns_are_rescued_by_their_names_in_the_file() -> None:
    """Whatever text the name is; the order of the file's columns does not matter."""
    layout = match_header(["b ü", "id", "", "version", "kind", '"a'], _feed(unknown_columns="rescue"))
    assert layout.columns == ("_unknown_0", "id", "_unknown_2", "version", "kind", "_unknown_5")
    assert layout.rescued == (("", "_unknown_2"), ('"a', "_unknown_5"), ("b ü", "_unknown_0"))
    assert layout.added == ()


def test_unknown_columns_are_added_by_their_names() -> None:
    layout = match_header(["z", "id", "version", "kind", "A1"], _feed(unknown_columns="add"))
    assert layout == Layout(("z", "id", "version", "kind", "A1"), False, added=("A1", "z"))


@pytest.mark.parametrize("name", ["", "a b", "_a", "1a", "a.b", "é", "a" * 129, "a\n"])
def test_a_name_that_no_column_may_have_is_not_added(name: str) -> None:
    found = _refusal(f"id,version,kind,{name}", unknown_columns="add")
    assert f"column {name[:60]!r} is not fit to be added: a column's name is a letter, then letters" in found


@pytest.mark.parametrize("mode", [mode for mode in _MODES if mode != "ignore"])
def test_a_name_that_is_there_twice_is_a_fault(mode: str) -> None:
    """Also that of an unknown column, and an empty one, but where nobody reads it."""
    assert "column 'kind' is there more than once" in _refusal("id,version,kind,kind", unknown_columns=mode)
    if mode != "ignore":
        assert "column '' is there more than once" in _refusal("id,version,kind,,", unknown_columns=mode)


def test_a_wrong_delimiter_is_guessed() -> None:
    for wrong in ";|\t":
        found = _refusal(wrong.join(["id", "version", "kind"]))
        assert found.startswith(f" (is the delimiter {wrong!r}?): columns id, version, kind are missing")
    assert "(is the delimiter ','?)" in _refusal("id,version,kind", delimiter=";")
    assert "delimiter" not in _refusal("id,version,k;i;nd")


def test_an_empty_name_at_an_end_is_explained() -> None:
    assert (
        _refusal("id,version,kind,")
        == " (an empty name at the end: is it trailing_delimiter: true?): column '' is not in the contract"
    )
    assert _refusal(",id,version,kind") == (
        " (an empty name at the beginning: an index column without a name, which a column can have by "
        """from: ""): column '' is not in the contract"""
    )


def test_ten_unknown_names_are_shown_the_near_misses_first() -> None:
    """However many there are."""
    found = _refusal(",".join(["id", "version", "kind", *(f"x{n}" for n in range(9_000)), "Op"]))
    assert found.startswith("column 'Op' is not in the contract (did you mean op?); columns 'x0', ")
    assert found.endswith(", 'x8' and 8991 more are not in the contract")


def test_a_first_line_without_a_name_is_a_fault() -> None:
    with pytest.raises(PermanentError, match=r"columns id, version, kind are missing$"):
        match_header([], _feed())


_RENAMED: dict[str, Any] = {
    "columns": [
        {"name": "id", "from": "Customer ID", "type": "STRING"},
        {"name": "version", "type": "INT64"},
        {"name": "size", "from": "Größe", "type": "INT64"},
        {"name": "row", "from": "", "type": "STRING"},
    ],
    "delete": {"column": "op", "from": "__op", "equals": "D"},
}


def test_a_column_may_have_another_name_in_the_file() -> None:
    """Any text, and the delete column too; the raw table has the contract's names."""
    header = ["", "Größe", "__op", "version", "Customer ID"]
    assert match_header(header, _feed(**_RENAMED)) == Layout(("row", "size", "op", "version", "id"), True)
    assert match_header(["version", "Customer ID"], _feed(**_RENAMED)) == Layout(("version", "id"), False)


def test_g7_the_contracts_own_name_is_not_that_of_the_file() -> None:
    """What the file calls so is another column."""
    header = ["Customer ID", "version", "id", "size"]
    assert _refusal("version,id", **_RENAMED) == "column 'Customer ID' is missing; column 'id' is not in the contract"
    assert _refusal(",".join(header), **_RENAMED) == "columns 'id', 'size' are not in the contract"
    layout = match_header(header, _feed(**_RENAMED, unknown_columns="ignore"))
    assert layout == Layout(("id", "version", "_unknown_2", "_unknown_3"), False, ignored=("id", "size"))


@pytest.mark.parametrize("mode", ["rescue", "add"])
@pytest.mark.parametrize(("name", "meant"), [("id", "Customer ID"), ("ID", "Customer ID"), ("Op", "__op")])
def test_no_two_columns_of_one_name_are_kept(name: str, meant: str, mode: str) -> None:
    """Neither beside the contract's in the table, nor in a row that is set aside."""
    said = _refusal(f"Customer ID,version,__op,{name}", **_RENAMED, unknown_columns=mode)
    assert said == f"column {name!r} is not in the contract, which has this name for {meant!r}"


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize(
    ("name", "meant"), [("grösse ", None), ("GRÖSSE", "Größe"), ("__OP", "__op"), ("op ", "__op")]
)
def test_g3_a_name_in_the_file_that_is_spelt_otherwise_is_refused(name: str, meant: str | None, mode: str) -> None:
    said = _refusal(f"Customer ID,version,{name}", **_RENAMED, unknown_columns=mode)
    assert f"column {name!r} is not in the contract (did you mean {meant or 'Größe'}?)" in said


@pytest.mark.parametrize("mode", _MODES[1:])
def test_a_name_of_signs_is_like_no_other(mode: str) -> None:
    """Not that of the column without a name, which the file lacks."""
    if mode != "add":
        assert match_header(["Customer ID", "version", "%"], _feed(**_RENAMED, unknown_columns=mode))


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize(
    "row",
    [
        "Carre-0000363,4558876591,12.50,Amelie,private",
        "Amelie,Schmidt,Munich,private,x",  # Amelie is a little like name
        "customer-17,a,b,c,d",
        "a@b.example,2025-01-01,x,y,z",
    ],
)
def test_g10_a_row_in_place_of_the_header_is_counted_only(row: str, mode: str) -> None:
    said = _refusal(row, unknown_columns=mode)
    assert "columns id, version, kind are missing" in said
    assert "none of the 5 names in the first line is a column of the contract: does the file have a header?" in said
    assert not [value for value in row.split(",") if len(value) > 1 and value in said]


@pytest.mark.parametrize(
    ("value", "mode", "words"),
    [
        ("Meyer,2025-01-01", "reject", "2 columns, whose names are left out as they may be values, are not in"),
        ("Id,Meyer,4558876591", "reject", "columns 'Id' and 2 more are not in the contract"),
        ("4558876591", "reject", "a column, whose name is left out as it may be a value, is not in the contract"),
        ("Meyer,x\rMeyer,x\rMeyer", "rescue", "a column, whose name is left out as it may be a value, is there more"),
        ("Meyer Y,12.5", "add", "2 columns, whose names are left out as they may be values, are not fit to be added"),
    ],
)
def test_g10_values_behind_a_header_are_not_named(value: str, mode: str, words: str) -> None:
    """As where the line end between header and first row was lost, or is a bare CR."""
    said = _refusal(f"id,version,kind,{value}", unknown_columns=mode)
    assert words in said
    assert not [value for value in ("Meyer", "4558", "2025", "12.5") if value in said]


def test_one_name_that_is_like_a_column_s_makes_a_header() -> None:
    """Of which the others are named too."""
    assert _refusal("versoin,colour") == (
        "column version is missing (did you mean 'versoin'?); columns id, kind are missing; "
        "columns 'versoin', 'colour' are not in the contract"
    )
