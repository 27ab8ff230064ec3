"""A check in a contract answers the same at each replay, and fails for no value."""

from __future__ import annotations

import pytest

from deploy.topology import ROOT
from services.shared.contract.expression import FUNCTIONS, validate
from services.shared.contract.feed import Feed
from tests.harness.statements.feeds import features

_COLUMNS = ("a", "b", "order")


@pytest.mark.parametrize(
    "text",
    [
        "a BETWEEN -90 AND 90.5",
        "a BETWEEN NUMERIC '-0.5' AND SAFE_DIVIDE(b, 2)",
        "a > DATE '2000-01-01' AND EXTRACT(YEAR FROM a) < 2100",
        "a <= b OR b IS NULL",
        "`order` != 'it''s'",
        "NOT a IN ('x', 'y') AND LENGTH(TRIM(a)) > 0",
        "REGEXP_CONTAINS(a, r'^[A-Z]{2}$') AND a LIKE 'D%'",
        "CASE a WHEN 1 THEN TRUE ELSE b = 2 END",
        "MOD(a, 2) = 0",
        "SAFE_CAST(a AS INT64) > 3",
    ],
)
def test_a_check_that_is_accepted(text: str) -> None:
    """The check as it is rendered again is accepted too."""
    validate(validate(text, _COLUMNS), _COLUMNS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *(
            (f"a < {call}", "may differ at a replay")
            for call in (
                *("CURRENT_TIMESTAMP()", "CURRENT_TIMESTAMP", "CURRENT_DATE()", "CURRENT_DATE", "CURRENT_TIME()"),
                *("CURRENT_DATETIME()", "RAND()", "GENERATE_UUID()", "SESSION_USER()", "@created", "@@time_zone"),
                *("SOME_FUNCTION(a)", "some.function(a)", "ERROR('x')", "SAFE.SUBSTR(a, 1)", "PARSE_DATE('%F', b)"),
                *("DATE(1, 2, 3)", "ABS(b)", "SUBSTR(b, 1, -1)", "SQRT(b)", "COUNT(b)", "DIV(a, b)"),
            )
        ),
        ("LENGTH(IF(a, b, CURRENT_DATE())) > 1", "CURRENT_DATE()"),
        ("a < CURRENT_DATE()", "DATE '2000-01-01'"),
        ("a < CURRENT_DATE()", ", ".join(FUNCTIONS)),
        ("100 / a > 1", "100 / a may fail for a value, and with it the whole file: write SAFE_DIVIDE(…)"),
        ("CAST(a AS INT64) > 1", "write SAFE_CAST(…)"),
        ("a + 1 > 1", "write SAFE_ADD(…)"),
        ("a - b > 1", "write SAFE_SUBTRACT(…)"),
        ("a * b > 1", "write SAFE_MULTIPLY(…)"),
        ("-a > 1", "write SAFE_NEGATE(…)"),
        ("a < b + INTERVAL 1 DAY", "b + INTERVAL '1' DAY may fail"),
        *((f"MOD(a, {by}) = 0", "MOD takes a whole number above 0") for by in ("b", "0", "0.0", "0.0000000001", "-1")),
        ("REGEXP_CONTAINS(a, b)", "write it out"),
        ("a LIKE b", "write it out"),
        ("other > 1", "no column of the contract: other"),
        ("_typed.a > 1", "no column of the contract: _typed.a"),
        ("a IN (SELECT 1)", "one expression"),
        ("a > ", "is not SQL"),
    ],
)
def test_a_check_that_is_refused(text: str, words: str) -> None:
    """The error says what to write instead."""
    with pytest.raises(ValueError, match="check") as caught:
        validate(text, _COLUMNS)
    assert words in str(caught.value)


def test_a_contract_is_refused_for_its_check() -> None:
    feed = features()["every_type"].model_dump()
    feed["columns"][0]["check"] = "id != SESSION_USER()"
    with pytest.raises(ValueError, match="SESSION_USER"):
        Feed.model_validate(feed)


def test_every_function_is_analysed_and_run() -> None:
    """Each is in a contract whose statements Google's SQL front end analyses, and which the local cloud runs."""
    checks = " ".join(column.check or "" for feed in features().values() for column in feed.columns)
    assert [name for name in FUNCTIONS if f"{name}(" not in checks] == []


def test_the_readme_lists_the_functions() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"Functions: {', '.join(FUNCTIONS)}." in text
