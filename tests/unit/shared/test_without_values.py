"""What BigQuery says of a fault is kept, but for the values that it quotes."""

import pytest
from google.api_core import exceptions

from services.shared.google_errors import classify
from services.shared.without_values import without_values

_READING = "Error while reading data, error message: "
_FOOTER = "\n\nLocation: EU\nJob ID: dropmerge-load-1-0\n"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"400 Bad int64 value: Carre{_FOOTER}", f"400 Bad int64 value: …{_FOOTER}"),
        ("Invalid date: 'Carre'", "Invalid date: …"),
        ("Invalid NUMERIC value: 45,58 at [3:4]", "Invalid NUMERIC value: … at [3:4]"),
        (
            f"{_READING}Could not parse 'Carre O'Brien' as INT64 for field score (position 3) starting at location 0 "
            "with message 'Unable to parse' File: gs://archive/a/1.csv",
            f"{_READING}Could not parse … as INT64 for field score (position 3) starting at location 0 "
            "File: gs://archive/a/1.csv",
        ),
        (
            f'{_READING}CSV table references column position 5; line_number: 3 column_name: "x" column_type: INT64 '
            'value: "Ca"rre" File: gs://archive/a/1.csv',
            f'{_READING}CSV table references column position 5; line_number: 3 column_name: "x" column_type: INT64 '
            "value: … File: gs://archive/a/1.csv",
        ),
        ("division by zero: 4558 / 0", "division by zero: …"),
        ("Overflow in multiplication of INT64 (4558 * 4558)!", "Overflow in multiplication of INT64 (…"),
        ("Cannot return a timestamp value of 4558 microseconds", "Cannot return a timestamp value of … microseconds"),
        ("Failed to cast value -4.5e8 to INT64, column score", "Failed to cast value … to INT64, column score"),
        ("Cannot parse b'Carre\\xff'", "Cannot parse …"),
        ("a text: two\nlines of Carre", "a text: …"),
        (
            "Query execution failed: Conversion Error: Could not convert string 'Carre' to INT64 when casting from "
            f"source column score\n\nLINE 1: MERGE 'Carre' AND 4558; message: 'Carre'\n\nLINE 1: x{_FOOTER}",
            "Query execution failed: Conversion Error: Could not convert string … to INT64 when casting from "
            f"source column score{_FOOTER}",
        ),
        (
            'Constraint Error: Duplicate key "id: Carre" violates primary key constraint',
            "Constraint Error: Duplicate key … violates primary key constraint",
        ),
    ],
)  # fmt: skip
def test_g10_a_value_is_left_out(said: str, kept: str) -> None:
    assert without_values(said) == kept
    assert kept in str(classify(exceptions.BadRequest(said)))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "said",
    [
        "400 GET https://bigquery.example/jobs?x=y: Unrecognized name: score at [1:8]",
        "Not found: Table p:main.accounts was not found in location EU",
        "Access Denied: Table p:main.accounts: User does not have permission to query table p:main.accounts",
        "Provided Schema does not match Table p:main.accounts. Field x has changed type from INTEGER to STRING",
        "Value of type STRING cannot be assigned to score, which has type INT64 at [3:9]",
        "Column \"score\" is not present in table 'main.accounts' at [1:2]",
        "Required field customer_id cannot be null",
        f"{_READING}CSV processing encountered too many errors, giving up. Rows: 1; errors: 1; max bad: 0",
        f'{_READING}Error detected while parsing row starting at position: 1234. Error: Data between close quote '
        'character (") and field separator. File: gs://archive/a/1.csv',
        "line 3, field 2: there is a quote within an unquoted field",
        "No matching signature for operator = for argument types: INT64, STRING. Supported signature: ANY = ANY",
        "MERGE must match at most one source row for each target row",
        "Cannot read and write in different locations: source: US, destination: EU",
        "Constraint Error: NOT NULL constraint failed: accounts.score",
        "The table doesn't exist",
    ],
)  # fmt: skip
def test_what_an_operator_acts_on_is_kept(said: str) -> None:
    """Places, counts, types, and the names of columns, tables and files."""
    assert without_values(said) == said
