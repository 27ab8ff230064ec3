"""Nasty values, a record each: what becomes of the text, or why the row is refused.

What is here goes through the local warehouse and through the reference implementation of BigQuery's SQL.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

MODIFIED = "2025-01-01T00:00:00Z"
_COLUMNS = ("id", "label", "text", "whole", "amount", "ratio", "flag", "day", "instant", "modified", "operation")


@dataclass(frozen=True)
class Refused:
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Value:
    column: str
    text: str
    becomes: object
    """The column's value, or Refused; of `operation`: whether the row is deleted."""
    label: str

    def row(self) -> dict[str, str]:
        row = {**dict.fromkeys(_COLUMNS, ""), "id": self.label, "label": self.label, "modified": MODIFIED}
        return {**row, self.column: self.text}


def _integers() -> Iterator[tuple[str, object]]:
    for text, number in (
        ("0", 0),
        ("-0", 0),
        ("+7", 7),
        ("007", 7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ):
        yield text, number
    yield from (
        (text, "not_an_integer")
        for text in (
            "9223372036854775808", "-9223372036854775809", "9" * 5000, "1.0", "1.", "0x1F", "0b1", "1e3", "1,000", "1_000", "1 000",
            " 1", "1 ", "1\n", "٣", "１", "½", "--1", "+", "-", "1-", "NaN", "null", "true", "1; DROP TABLE main.values",
        )
    )  # fmt: skip


def _numbers() -> Iterator[tuple[str, object]]:
    biggest = "9" * 29 + "." + "9" * 9
    for text, number in (
        ("1.5", "1.5"), ("-0", "0"), ("-0.0", "0"), ("+1.5", "1.5"), ("00012.50", "12.5"), (biggest, biggest), ("-" + biggest, "-" + biggest),
        ("1.5000000000", "1.5"), ("0.0000000000", "0"), ("0.000000001", "0.000000001"), ("9" * 29, "9" * 29),
    ):  # fmt: skip
        yield text, Decimal(number)
    yield from ((text, "too_many_decimals") for text in ("1.0123456789", "0.0000000001", "-1.00000000010"))
    yield from ((text, "number_out_of_range") for text in ("1" + "0" * 29, "-1" + "0" * 29, "9" * 1000, "9" * 38))
    yield from (
        (text, "not_a_number")
        for text in (
            "1e400", "1e2", "1E2", "NaN", "Infinity", "-inf", "0x1F", "1,234.50", "1.234,50", ".5", "5.", "+.5", "$5", "5 EUR", "(5)", "1 000",
            "1’000", "\u22125", " 5", "5 ", "5\n", "1..2", "1.2.3", "٣.٥", "-", ".", "1/2", "5%",
        )
    )  # fmt: skip


def _floats() -> Iterator[tuple[str, object]]:
    for text, number in (
        ("1.5", 1.5),
        ("-0", 0.0),
        ("-0.0", 0.0),
        ("-1e-400", 0.0),
        ("1e308", 1e308),
        ("-1E+3", -1000.0),
        ("5e-324", 5e-324),
        ("1e-400", 0.0),
        ("0.1", 0.1),
    ):
        yield text, number
    yield from ((text, "number_out_of_range") for text in ("1e309", "-1e400", "9" * 400))
    yield from (
        (text, "not_a_number")
        for text in ("NaN", "inf", "-Infinity", "0x1p3", "1e", "e5", "1,5", " 1", ".5", "5.", "1e5.0")
    )


def _booleans() -> Iterator[tuple[str, object]]:
    yield from (("true", True), ("TRUE", True), ("False", False))
    yield from ((text, "not_a_boolean") for text in ("1", "0", "yes", "t", " true", "true\n", "wahr", "ｔｒｕｅ"))


def _days() -> Iterator[tuple[str, object]]:
    for text in ("2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "1582-10-10"):
        yield text, date.fromisoformat(text)
    yield from (
        (text, "not_a_date")
        for text in (
            "2023-02-29", "1900-02-29", "2025-02-30", "2025-13-01", "2025-00-01", "2025-01-00", "0000-01-01", "10000-01-01", "-0001-01-01",
            "2025-1-5", "05/01/2025", "20250105", "2025-01-05T00:00:00Z", " 2025-01-05", "2025-01-05\n", "today", "2025-W01-1", "45000", "٢٠٢٥-٠١-٠١",
        )
    )  # fmt: skip


def _instants() -> Iterator[tuple[str, object]]:
    noon = datetime(2025, 1, 1, 12, tzinfo=UTC)
    for text, instant in (
        ("2025-01-01T12:00:00Z", noon), ("2025-01-01 12:00:00Z", noon), ("2025-01-01T12:00:00+00:00", noon), ("2025-01-01T12:00:00-00:00", noon),
        ("2025-01-01T17:30:00+05:30", noon), ("2025-01-02T02:00:00+14:00", noon), ("2025-01-01T00:00:00-12:00", noon),
        ("2025-01-01 12:00:00 UTC", noon), ("2025-01-01T12:00:00 UTC", noon), ("2025-01-01 12:00:00.123456 UTC", noon + timedelta(microseconds=123_456)),
        ("2025-01-01T12:00:00.5Z", noon + timedelta(microseconds=500_000)), ("2025-01-01T12:00:00.123456Z", noon + timedelta(microseconds=123_456)),
        # Clocks in Berlin skip this hour, and have that one twice; an offset leaves nothing to guess.
        ("2025-03-30T02:30:00+01:00", datetime(2025, 3, 30, 2, 30, tzinfo=timezone(timedelta(hours=1)))),
        ("2025-10-26T02:30:00+02:00", datetime(2025, 10, 26, 2, 30, tzinfo=timezone(timedelta(hours=2)))),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)), ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
        ("1969-12-31T23:59:59Z", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ):  # fmt: skip
        yield text, instant
    yield from (
        (text, "not_a_timestamp")
        for text in (
            "2016-12-31T23:59:60Z", "2025-01-01T24:00:00Z", "2025-01-01T12:60:00Z", "2025-02-30T00:00:00Z", "2025-01-01T12:00:00", "2025-01-01",
            "2025-01-01T12:00Z", "2025-01-01T12:00:00.1234567Z", "2025-01-01T12:00:00.Z", "2025-01-01t12:00:00z", "2025-01-01T12:00:00 Z",
            "2025-01-01T12:00:00+1", "2025-01-01T12:00:00+0100", "2025-01-01T12:00:00+15:00", "2025-01-01T12:00:00-23:59", "2025-01-01T12:00:00+14:01",
            "2025-01-01 12:00:00 Europe/Berlin", "2025-01-01 12:00:00UTC", "2025-01-01 12:00:00 utc", "2025-01-01 12:00:00 UTC+1", "0000-01-01T00:00:00Z", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "1735689600", "now", " 2025-01-01T12:00:00Z",
            "2025-01-01T12:00:00Z ", "2025-01-01T12:00:00Z\n", "2025-01-01  12:00:00Z", "Wed, 01 Jan 2025 12:00:00 GMT",
        )
    )  # fmt: skip


_TEXTS = (
    "'; DROP TABLE main.values; --", "`main.values`", "@load_id", "{{ feed }}", "{% raw %}", "%s %d", "$1", "\\", "\\'", '"', "''", "/*", "--",
    "a\nb", "a\r\nb", " ", "\t", "null", "NULL", "\\N", "=cmd|'/c calc'!A1", "\ufffc", "\ufffe", "\ufeffx", "a\u2028b", "a\u0301", "á", "\u200b", "\u202e",
    "👩‍👩‍👧‍👦", "\x01", "\x7f", "𝒳" * 1000, "x" * 2**20, "[1,2]", '{"a": 1}', "1e400", "<script>alert(1)</script>", "../../etc/passwd",
)  # fmt: skip
_KEYS = (
    " ", "  ", "key ", " key", "Key", "KEY", "clé", "cle\u0301", "🔑", "NULL", "0", "-0", "'; DROP TABLE main.values; --", "a\nb", "a,b", '"',
    "%", "_", "\u00a0", "ｋey", "ß", "ss", "SS", "İ", "i", "k" * 1024, "k" * 1025,
)  # fmt: skip


_NOT_UTF8 = (
    ("text", "\ufffd"), ("text", "x" * 2**20 + "\ufffd"), ("id", "M\ufffdller"), ("operation", "\ufffd"), ("operation", "D\ufffd"),
    ("whole", "7\ufffd", "not_an_integer"), ("amount", "\ufffd5", "not_a_number"), ("ratio", "5\ufffd", "not_a_number"),
    ("flag", "true\ufffd", "not_a_boolean"), ("day", "2025-01-0\ufffd", "not_a_date"),
    ("instant", "2025-01-01\ufffd12:00:00Z", "not_a_timestamp"), ("modified", "\ufffd", "not_a_timestamp"),
)  # fmt: skip
"""What BigQuery makes of bytes that are not UTF-8: column, text, and the reasons beside not_utf8."""


def values() -> list[Value]:
    typed = {
        "whole": _integers(), "amount": _numbers(), "ratio": _floats(), "flag": _booleans(), "day": _days(), "instant": _instants(),
    }  # fmt: skip
    found = [
        Value(
            column, text, Refused((f"{becomes}: {column}",)) if isinstance(becomes, str) else becomes, f"{column}-{n}"
        )
        for column, cases in typed.items()
        for n, (text, becomes) in enumerate(cases)
    ]
    found += [Value(column, "", None, f"{column}-empty") for column in ("text", *typed)]
    found += [Value("text", text, text, f"text-{n}") for n, text in enumerate(_TEXTS)]
    found += [Value("id", text, text, f"id-{n}") for n, text in enumerate(_KEYS)]
    found += [Value("id", "", Refused(("missing_value: id",)), "id-empty")]
    found += [
        Value("operation", text, False, f"operation-{n}")
        for n, text in enumerate(("d", " D", "D ", "DD", "Ｄ", "U", "DELETE"))
    ]
    found += [Value("operation", "D", True, "operation-delete")]
    found += [
        Value(
            column,
            text,
            Refused(tuple(f"{reason}: {column}" for reason in ("not_utf8", *more))),
            f"{column}-not-utf8-{n}",
        )
        for n, (column, text, *more) in enumerate(_NOT_UTF8)
    ]
    found += [
        Value("modified", text, Refused((reason + ": modified",)), f"modified-{n}")
        for n, (text, reason) in enumerate(
            [
                ("", "missing_value"),
                ("yesterday", "not_a_timestamp"),
                ("2999-01-01T00:00:00Z", "version_in_the_future"),
            ]
        )
    ]
    return found


def as_csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
