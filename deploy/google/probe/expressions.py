"""Expressions that the checks of contracts may have, and of which warehouses have been known to think otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from deploy.google.probe.question import Answer, Question
from deploy.google.probe.scratch import Scratch
from services.shared.sql import Templates

TEMPLATES = Templates(Path(__file__).parent / "sql")
_AT = "TIMESTAMP '2025-01-02 03:04:05.123456+00'"

EXPRESSIONS: tuple[tuple[str, str, str], ...] = (
    # name, expression, what GoogleSQL's reference implementation answers, as JSON
    ("trim_tab", r"TRIM('\t a\t')", '"a"'),
    ("trim_no_break_space", "TRIM(CONCAT(CHR(160), 'a', CHR(160)))", '"a"'),
    ("extract_millisecond", f"EXTRACT(MILLISECOND FROM {_AT})", "123"),
    ("extract_microsecond", f"EXTRACT(MICROSECOND FROM {_AT})", "123456"),
    ("extract_week", "EXTRACT(WEEK FROM TIMESTAMP '1899-12-31 23:59:59+00')", "53"),
    ("int_of_decimal", "SAFE_CAST('650.0' AS INT64)", "null"),
    ("int_of_exponent", "SAFE_CAST('1e3' AS INT64)", "null"),
    ("int_of_hex", "SAFE_CAST('0x1F' AS INT64)", "31"),
    ("bool_of_letter", "SAFE_CAST('t' AS BOOL)", "null"),
    ("bool_of_yes", "SAFE_CAST('yes' AS BOOL)", "null"),
    ("numeric_of_text", "SAFE_CAST('1.23456789' AS NUMERIC) = NUMERIC '1.23456789'", "true"),
    ("numeric_of_underscore", "SAFE_CAST('1_0' AS NUMERIC)", "null"),
    ("int_of_half", "SAFE_CAST(2.5 AS INT64)", "3"),
    ("text_of_float", "SAFE_CAST(1.0 AS STRING)", '"1"'),
    ("text_of_numeric", "SAFE_CAST(NUMERIC '1.50' AS STRING)", '"1.5"'),
    ("text_of_timestamp", "SAFE_CAST(TIMESTAMP '1969-12-31 23:59:59.5+00' AS STRING)", '"1969-12-31 23:59:59.500+00"'),
    ("date_of_infinity", "SAFE_CAST('inf' AS DATE)", "null"),
    ("like_escaped", r"'a_b' LIKE 'a\\_b'", "true"),
    ("like_escaped_other", r"'axb' LIKE 'a\\_b'", "false"),
    ("nan_is_greater", "SAFE_CAST('nan' AS FLOAT64) > 0", "false"),
    ("nan_is_equal", "SAFE_CAST('nan' AS FLOAT64) = SAFE_CAST('nan' AS FLOAT64)", "false"),
    ("divide_numeric", "SAFE_DIVIDE(NUMERIC '1', 3) = NUMERIC '0.333333333'", "true"),
    ("multiply_overflow", "SAFE_MULTIPLY(1e308, 10.0) IS NULL", "true"),
    ("lower_dotted_i", "LENGTH(LOWER(CHR(304)))", "2"),
    ("date_without_zone", "DATE(TIMESTAMP '2025-01-01 00:30:00+00') = DATE '2025-01-01'", "true"),
)  # fmt: skip


def questions() -> Iterator[Question]:
    why = "A check must refuse the same rows on BigQuery as where its contract was tried."
    for name, expression, expected in EXPRESSIONS:
        yield Question(
            f"check_{name}", expression, expression, why, partial(_ask, expression=expression), 12, (expected,)
        )


def _ask(scratch: Scratch, expression: str) -> Answer:
    (row,) = scratch.warehouse.query(TEMPLATES.render("expression.sql", expression=expression))
    return Answer(str(row["verdict"]))
