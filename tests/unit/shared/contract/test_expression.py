"""A check in a contract answers the same at each replay, and fails for no value."""

from __future__ import annotations

import pytest

from deploy.topology import ROOT
from services.shared.contract.expression import FUNCTIONS, validate
from services.shared.contract.feed import Feed
from tests.harness.statements.feeds import features

_COLUMNS = {
    **{"a": "INT64", "b": "INT64", "order": "STRING"},
    **{"s": "STRING", "n": "NUMERIC", "f": "FLOAT64", "d": "DATE", "z": "TIMESTAMP", "o": "BOOL"},
}


@pytest.mark.parametrize(
    "text",
    [
        "a BETWEEN -90 AND 90.5",
        "n BETWEEN NUMERIC '-0.5' AND SAFE_DIVIDE(n, 2)",
        "d > DATE '2000-01-01' AND EXTRACT(YEAR FROM d) < 2100",
        "a <= b OR b IS NULL",
        r"`order` != 'it\'s' AND s = 'a\n\\b'",
        "NOT s IN ('x', 'y') AND LENGTH(TRIM(s)) > 0",
        "REGEXP_CONTAINS(s, r'^[A-Z]{2}$') AND s LIKE 'D%'",
        "CASE a WHEN 1 THEN TRUE ELSE b = 2 END",
        "MOD(a, 2) = 0",
        "SAFE_CAST(a AS STRING) != '7'",
        "EXTRACT(HOUR FROM z) < 12 AND EXTRACT(HOUR FROM z AT TIME ZONE 'UTC') > 2",
        "z > TIMESTAMP '2000-01-01 00:00:00+00' AND z > TIMESTAMP '2000-01-01T00:00:00Z'",
        "COALESCE(o, NULLIF(n, 0.5) > 1) IS NOT FALSE",
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
        ("REGEXP_CONTAINS(a, b)", "write the pattern as one literal"),
        ("a LIKE b", "write the pattern as one literal"),
        ("other > 1", "columns that are not in the contract: other"),
        ("_typed.a > 1", "columns that are not in the contract: _typed.a"),
        ("a IN (SELECT 1)", "one expression"),
        *(
            (f"s = {text}", "write the character itself")
            for text in (
                r"'\x41'",
                r"'\u0041'",
                r"'\101'",
                r"""'\"'""",
                r"""\"\'\"""".replace(r"\"", '"'),
                r"'\`'",
                r"'\?'",
                r"r'\''",
            )
        ),
        ("s = 'it''s'", "follows another text"),
        *(
            (f"{name}(s) = 'a'", f"{name} is not one of the functions")
            for name in ("LCASE", "UCASE", "LTRIM", "RTRIM")
        ),
        ("NVL(s, 'a') = 'a'", "NVL is not one of the functions"),
        ("TRY_CAST(a AS FLOAT64) > 1", "TRY_CAST is not one of the functions"),
        ("LEN(s) = 1", "LEN is not one of the functions"),
        ("MOD(f, 2) = 0", "takes INT64"),
        ("LENGTH(a) = 1", "is of type INT64, not STRING"),
        ("s = 1", "together"),
        ("d = z", "together"),
        ("o = 1", "together"),
        ("a", "is of type INT64, not BOOL"),
        ("a OR o", "is of type INT64, not BOOL"),
        *(
            (f"EXTRACT({part}) = 1", "is not a part of")
            for part in ("HOUR FROM d", "EPOCH FROM z", "WEEK FROM d", "DATE FROM z")
        ),
        ("EXTRACT(HOUR FROM z AT TIME ZONE 'Asia/Tokyo') = 1", "is not in 'UTC'"),
        ("SAFE_CAST(s AS INT64) = 1", "reads a STRING as a INT64"),
        ("SAFE_CAST(z AS DATE) = d", "reads a TIMESTAMP as a DATE"),
        *(
            (f"REGEXP_CONTAINS(s, r'{pattern}')", "RE2 does not have")
            for pattern in ("(?=a)", "(?<!a)", r"(a)\1", "a++", r"a\Z")
        ),
        *((f"REGEXP_CONTAINS(s, r'{pattern}')", "is not a pattern") for pattern in ("[", "(", "*a")),
        *((f"REGEXP_CONTAINS(s, r'{pattern}')", "repeats more than 1000") for pattern in ("a{1001}", "(a{40}){40}")),
        (r"s LIKE 'a\\'", "backslash in its pattern"),
        ("d > DATE '2024-02-30'", "is not the text of a DATE"),
        ("d > '2024-2-9'", "is not the text of a DATE"),
        ("z > TIMESTAMP '2024-01-01'", "name the zone"),
        ("a > 9223372036854775808", "does not fit in 64 bits"),
        ("f > 1e400", "does not fit in a FLOAT64"),
        ("n > 1e30", "is not the text of a NUMERIC"),
        ("a > ", "is not SQL"),
    ],
)
def test_a_check_that_is_refused(text: str, words: str) -> None:
    """The error says what to write instead."""
    with pytest.raises(ValueError, match="check") as caught:
        validate(text, _COLUMNS)
    assert words in str(caught.value)


def test_a_contract_is_refused_for_its_check() -> None:
    feed = features()["every_type"].model_dump(exclude_none=True)
    feed["columns"][0]["check"] = "id != SESSION_USER()"
    with pytest.raises(ValueError, match="SESSION_USER"):
        Feed.model_validate(feed)


def test_every_function_is_analysed_and_run() -> None:
    """Each is in a contract whose statements Google's SQL front end analyses, and which the local cloud runs."""
    checks = " ".join(column.check or "" for feed in features().values() for column in feed.columns)
    assert [name for name in FUNCTIONS if f"{name}(" not in checks] == []


def test_the_page_on_contracts_lists_the_functions() -> None:
    text = " ".join((ROOT / "docs" / "contracts.md").read_text(encoding="utf-8").split())
    assert f"Functions: {', '.join(FUNCTIONS)}." in text
