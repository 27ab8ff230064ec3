"""The oracle agrees with examples worked out by hand from the fine print of the design."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations

import pytest
import yaml

from tests.harness.histories.oracle import Answer, Arrived, Contract, Row, answer

CONTRACT = Contract.of(
    yaml.safe_load(
        """
        feed: people
        format: {type: csv}
        key: [id]
        version: rev
        delete: {column: op, equals: D}
        columns:
          - {name: id, type: STRING}
          - {name: rev, type: INT64}
          - {name: score, type: INT64, check: score BETWEEN 1 AND 9}
          - {name: note, type: STRING}
        bad_rows: {at_most: 1}
        """
    )
)
HEADER = "id,rev,score,note,op\n"


def files(*bodies: str | bytes, contract: Contract = CONTRACT) -> list[Arrived]:
    """Files with generations 1, 2, …; rows under the people's header, unless given as bytes."""
    datas = [body if isinstance(body, bytes) else (HEADER + body).encode() for body in bodies]
    return [Arrived(contract, "landing", f"{n}.csv", n, data) for n, data in enumerate(datas, 1)]


def people(*bodies: str | bytes) -> dict[str, tuple[object, ...]]:
    """key to (rev, score, note, deleted, generation); the same in whatever order the files come."""
    answers = [_people(answer(order)) for order in permutations(files(*bodies))]
    assert all(one == answers[0] for one in answers)
    return answers[0]


def _people(found: Answer) -> dict[str, tuple[object, ...]]:
    return {str(key[0]): (*row.values[1:], row.deleted, row.generation) for key, row in found.tables["people"].items()}


def end(data: bytes | str, contract: Contract = CONTRACT) -> str:
    (only,) = answer(files(data, contract=contract)).ends.values()
    return only


@pytest.mark.parametrize(
    ("bodies", "winner"),
    [
        pytest.param(["a,2,5,x,U\n", "a,1,6,y,U\n"], (2, 5, "x", False, 1), id="greater version"),
        pytest.param(["a,1,5,x,U\n", "a,1,4,w,U\n"], (1, 4, "w", False, 2), id="then greater generation"),
        pytest.param(["a,1,5,x,D\n", "a,1,4,w,U\n"], (1, 4, "w", False, 2), id="generation before delete"),
        pytest.param(["a,1,5,x,U\na,1,,,D\na,1,6,z,U\n"], (1, None, None, True, 1), id="then delete over update"),
        pytest.param(["a,1,5,z,U\na,1,6,a,U\n"], (1, 6, "a", False, 1), id="then columns in contract order"),
        pytest.param(["a,1,6,a,U\na,1,6,b,U\n"], (1, 6, "b", False, 1), id="each by its type's order"),
        pytest.param(["a,1,,z,U\na,1,1,a,U\n"], (1, 1, "a", False, 1), id="NULL smallest"),
        pytest.param(["a,10,1,,U\na,9,1,,U\n"], (10, 1, None, False, 1), id="numbers, not their texts"),
        pytest.param(["a,3,9,x,D\n", "a,2,8,y,U\n"], (3, None, None, True, 1), id="deleted stays deleted"),
        pytest.param(["a,3,9,x,D\n", "a,4,8,y,U\n"], (4, 8, "y", False, 2), id="a newer row comes back"),
        pytest.param(["a,+07,1,,U\n"], (7, 1, None, False, 1), id="sign and zeros"),
        pytest.param(["a,1,1,,d\n"], (1, 1, None, False, 1), id="the marker is compared exactly"),
        pytest.param(["a,1,oops,,D\n"], (1, None, None, True, 1), id="a delete needs key and version only"),
        pytest.param(['a,1,1,"x""\r\n,y",U\r\n'], (1, 1, 'x"\r\n,y', False, 1), id="quoted"),
        pytest.param(["\n\na,1,1,,U"], (1, 1, None, False, 1), id="blank lines, no last newline"),
        pytest.param([b"\xef\xbb\xbfrev,note,id,score\n1, x ,a,2"], (1, 2, " x ", False, 1), id="BOM, any order"),
    ],
)
def test_the_winner_of_a_key(bodies: list[str | bytes], winner: tuple[object, ...]) -> None:
    """The winner is worked out by hand, and is the same in every order of the files."""
    assert people(*bodies) == {"a": winner}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(HEADER.encode(), "merged", id="header only"),
        pytest.param(b"", "empty_file", id="zero bytes"),
        pytest.param(b"id,rev,score,nota,op\n", "wrong_header", id="unknown column"),
        pytest.param(b"id,rev,score\n", "wrong_header", id="missing column"),
        pytest.param(b"id,rev,score,note,id\n", "wrong_header", id="column twice"),
        pytest.param(b"id,rev,score,Note\n", "wrong_header", id="another case"),
        pytest.param(b"id,rev,score,caf\xe9\n", "wrong_encoding", id="Latin-1"),
        pytest.param(HEADER.encode() + b"a,1,1,x,U\n" * 30_000 + b"b,1,1,\xe9,U\n", "merged", id="Latin-1, late"),
        pytest.param(b"i\0d,rev,score,note\n", "wrong_format", id="NUL in the header"),
        pytest.param(HEADER.encode() + b"a,1,1,\0,U\n", "merged", id="NUL"),
        pytest.param(HEADER.encode() + b"a\0,1,1,,U\na\x1f,1,1,,U\n", "too_many_bad_rows", id="controls in keys"),
        pytest.param(b'id,rev,score,note,"o\np"\n', "wrong_header", id="line end in a name"),
        pytest.param("a,1\n", "merged", id="a narrow row within tolerance"),
        pytest.param("a,1\na,1,1,x,U,\n", "too_many_bad_rows", id="and a wide one"),
        pytest.param('a,1,1,"x,U\n', "malformed_file", id="open quote"),
        pytest.param('a,1,1,"x"y,U\n', "malformed_file", id="text after a closing quote"),
        pytest.param('a,1,1,x"y,U\n', "malformed_file", id="quote within"),
        pytest.param("a,1,1,x\ry,U\n", "malformed_file", id="bare CR"),
        pytest.param("a,x,1,,U\n", "merged", id="a bad row within tolerance"),
        pytest.param("a,x,1,,U\nb,x,1,,U\n", "too_many_bad_rows", id="past it"),
    ],
)
def test_the_end_of_a_file(data: bytes | str, reason: str) -> None:
    """A file is merged, or dead-lettered for the reason that it should be."""
    assert end(data) == reason


def test_a_dead_file_leaves_nothing_in_the_table() -> None:
    """Its good rows are not merged; its bad rows are set aside with every reason, as they were."""
    found = answer(files("good,1,5,,U\n,x,12,text,U\nb,1,nine,,U\n"))
    assert found.tables == {"people": {}}
    assert {(bad.row, bad.reasons) for bad in found.rejected} == {
        ((None, "x", "12", "text"), frozenset({"missing_value: id", "not_an_integer: rev", "check_failed: score"})),
        (("b", "1", "nine", None), frozenset({"not_an_integer: score"})),
    }


def test_a_row_that_is_not_utf8() -> None:
    """Late in a file BigQuery writes U+FFFD for its bytes, a reason in key, marker and every value that counts."""
    late = b"M\xfcller,1,1,,U\nb,1,\xb9,,U\nc,1,1,,\xd0\nd,1,1,\xe9,D\n"
    found = answer(files(HEADER.encode() + b"a,1,1,x,U\n" * 30_000 + late))
    assert {(bad.row[0], bad.reasons) for bad in found.rejected} == {
        ("M\ufffdller", frozenset({"not_utf8: id"})),
        ("b", frozenset({"not_utf8: score", "not_an_integer: score"})),
        ("c", frozenset({"not_utf8: op"})),
    }


def test_a_share_of_bad_rows() -> None:
    """50% of two rows is one."""
    contract = Contract.of(
        {
            "feed": "f",
            "format": {"type": "csv"},
            "key": ["id"],
            "version": "rev",
            "columns": [{"name": "id", "type": "STRING"}, {"name": "rev", "type": "INT64"}],
            "bad_rows": {"at_most": "50%"},
        }
    )
    assert end(b"id,rev\na,1\nb,x\n", contract) == "merged"
    assert end(b"id,rev\na,1\nb,x\nc,x\n", contract) == "too_many_bad_rows"


def typed(kind: str, text: str) -> object:
    """The value of a text in a column of this type, or the reason why it has none."""
    contract = Contract.of(
        {
            "feed": "f",
            "format": {"type": "csv", "delimiter": ";"},
            "key": ["id"],
            "version": "rev",
            "columns": [
                {"name": "id", "type": "STRING"},
                {"name": "rev", "type": "INT64"},
                {"name": "value", "type": kind},
            ],
            "bad_rows": {"at_most": 1},
        }
    )
    found = answer(files(f"id;rev;value\na;1;{text}\n".encode(), contract=contract))
    if found.rejected:
        (reason,) = found.rejected[0].reasons
        return reason.removesuffix(": value")
    return found.tables["f"]["a",].values[2]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("INT64", "-9223372036854775808", -(2**63)),
        ("INT64", "9223372036854775808", "not_an_integer"),
        ("INT64", "1.0", "not_an_integer"),
        ("INT64", "0x1F", "not_an_integer"),
        ("INT64", " 1", "not_an_integer"),
        ("INT64", "٣", "not_an_integer"),
        ("NUMERIC", "-0.1234567890", Decimal("-0.123456789")),
        ("NUMERIC", "0.1234567891", "too_many_decimals"),
        ("NUMERIC", "1e3", "not_a_number"),
        ("NUMERIC", "1,000", "not_a_number"),
        ("NUMERIC", "9" * 29 + ".999999999", Decimal("9" * 29 + ".999999999")),
        ("NUMERIC", "1" + "0" * 29, "number_out_of_range"),
        ("FLOAT64", "-1.5e-3", -0.0015),
        ("FLOAT64", "-0", 0.0),
        ("FLOAT64", "NaN", "not_a_number"),
        ("FLOAT64", "1e400", "number_out_of_range"),
        ("BOOL", "TRUE", True),
        ("BOOL", "false", False),
        ("BOOL", "1", "not_a_boolean"),
        ("DATE", "2024-02-29", date(2024, 2, 29)),
        ("DATE", "2023-02-29", "not_a_date"),
        ("DATE", "20240229", "not_a_date"),
        ("TIMESTAMP", "2025-01-01T01:00:00.000001+02:00", datetime(2024, 12, 31, 23, 0, 0, 1, UTC)),
        ("TIMESTAMP", "2025-01-01 01:00:00Z", datetime(2025, 1, 1, 1, tzinfo=UTC)),
        ("TIMESTAMP", "2025-01-01T01:00:00+14:00", datetime(2024, 12, 31, 11, tzinfo=UTC)),
        ("TIMESTAMP", "2025-01-01T01:00:00+14:01", "not_a_timestamp"),
        ("TIMESTAMP", "0001-01-01T00:00:00+00:01", "not_a_timestamp"),
        ("TIMESTAMP", "0000-01-01T00:00:00Z", "not_a_timestamp"),
        ("TIMESTAMP", "2025-01-01T01:00:00", "not_a_timestamp"),
        ("TIMESTAMP", "2025-01-01T01:00Z", "not_a_timestamp"),
        ("TIMESTAMP", "2016-12-31T23:59:60Z", "not_a_timestamp"),
        ("TIMESTAMP", "2025-01-01T01:00:00.0000001Z", "not_a_timestamp"),
        ("STRING", " NULL ", " NULL "),
        ("STRING", '""', None),
    ],
)
def test_the_text_of_a_value(kind: str, text: str, value: object) -> None:
    """A text has the value or the reason of the fine print; spaces are a reason in any type but STRING."""
    assert typed(kind, text) == value


def test_of_floats_there_is_one_zero() -> None:
    """Two that are equal and not the same would make the order of arrival decide."""
    assert {repr(typed("FLOAT64", text)) for text in ("0", "-0", "-0.0", "-1e-400")} == {"0.0"}


def test_equal_numbers_are_one_key() -> None:
    """A NUMERIC key is a number, not its text."""
    contract = Contract.of(
        {
            "feed": "f",
            "format": {"type": "csv"},
            "key": ["id"],
            "version": "at",
            "columns": [{"name": "id", "type": "NUMERIC"}, {"name": "at", "type": "DATE"}],
        }
    )
    found = answer(files(b"id,at\n1.50,1969-01-02\n+1.5,1969-01-01\n", contract=contract))
    (row,) = found.tables["f"].values()
    assert row == Row((Decimal("1.5"), date(1969, 1, 2)), False, 1, "gs://landing/1.csv")


@pytest.mark.parametrize(("at", "end_"), [("00:00:00.000000", "merged"), ("00:00:00.000001", "too_many_bad_rows")])
def test_the_future_begins_a_day_after_the_objects_creation(at: str, end_: str) -> None:
    """The generation is the creation time; nothing looks at the clock."""
    contract = Contract.of(
        {
            "feed": "f",
            "format": {"type": "csv"},
            "key": ["id"],
            "version": "at",
            "columns": [{"name": "id", "type": "STRING"}, {"name": "at", "type": "TIMESTAMP"}],
        }
    )
    created = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    data = f"id,at\na,2020-01-02T{at}Z\n".encode()
    assert list(answer([Arrived(contract, "b", "o", created, data)]).ends.values()) == [end_]


def test_an_unknown_check_is_refused_not_ignored() -> None:
    """The oracle never passes a row that it cannot judge."""
    with pytest.raises(NotImplementedError):
        Contract.of(
            {
                "feed": "f",
                "format": {},
                "key": ["id"],
                "version": "id",
                "columns": [{"name": "id", "type": "INT64", "check": "id > 1"}],
            }
        )
