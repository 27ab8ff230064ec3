"""Checks of every shape that a contract may have, by the dozen, and rows to hold them against."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

COLUMNS = {
    **{"s": "STRING", "t": "STRING", "i": "INT64", "j": "INT64", "n": "NUMERIC", "m": "NUMERIC"},
    **{"f": "FLOAT64", "g": "FLOAT64", "b": "BOOL", "d": "DATE", "e": "DATE", "z": "TIMESTAMP", "y": "TIMESTAMP"},
    **{"v": "DATETIME", "w": "DATETIME", "c": "TIME", "h": "TIME"},
}
ARRAYS = {"r": "ARRAY<INT64>"}
"""Columns that are arrays, each of them [1, 2]."""
VALUES = {
    "STRING": ("a", "", " a ", "a%b_c", "a'b\"c", "\ta\n", "a\\b", "ünï", "A1", "\u00a0x\u2003", "b1c22", "(", "10"),
    "INT64": ("0", "1", "-7", "300", "9007199254740993", "9223372036854775807", "-9223372036854775808"),
    "NUMERIC": ("0", "1.5", "-0.1", "2", "100.000000001", "-12345678901234.5"),
    "FLOAT64": ("0", "1.5", "-2.5", "0.1", "1e308", "-1e308", "5e-324", "9007199254740992"),
    "BOOL": ("true", "false"),
    "DATE": ("2024-02-29", "0001-01-01", "9999-12-31", "1969-12-31", "2025-01-05"),
    "TIMESTAMP": (
        *("2024-02-29T23:59:59.999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59.5Z"),
        *("2025-01-05T00:30:00+05:30", "1899-12-31T23:59:59.000001Z"),
    ),
    "DATETIME": ("2024-02-29T23:59:59.999999", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "1969-12-31 23:59:59.5"),
    "TIME": ("00:00:00", "23:59:59.999999", "12:30:00.5"),
}
_CONSTANTS = {
    "STRING": ("'a'", "''", "'A'", r"'a\'b\"c'", "'é'", "'ü'", r"r'a\b'", r"'\ta\n'", "'10'", r"'a\\b'", r"'\x41'"),
    "INT64": ("0", "-7", "1.5", "300", "9007199254740993", "NUMERIC '1.5'", "'1'", "1e3"),
    "NUMERIC": ("0", "-0.1", "NUMERIC '100.000000001'", "1e3", "1.5", "1e30", "'1.5'", "0.0000000001"),
    "FLOAT64": ("0", "1.5", "-2.5", "0.1", "1e308", "NUMERIC '0.1'", "1e309"),
    "BOOL": ("TRUE", "FALSE", "1", "NULL", "'true'"),
    "DATE": ("DATE '2024-02-29'", "'2024-02-29'", "DATE '2024-02-30'", "'x'", "DATE '2024-2-9'"),
    "TIMESTAMP": (
        *(
            "TIMESTAMP '2024-02-29 23:59:59.999999+00'",
            "TIMESTAMP '1969-12-31 23:59:59.5 UTC'",
            "'2025-01-04T19:00:00Z'",
        ),
        *("TIMESTAMP '2024-02-29'", "TIMESTAMP '2025-01-05 00:30:00+05:30'", "DATE '2024-02-29'"),
    ),
    "DATETIME": ("DATETIME '2024-02-29 23:59:59.999999'", "'1969-12-31T23:59:59.5'", "DATETIME '2024-02-30 00:00:00'"),
    "TIME": ("TIME '12:30:00.5'", "'23:59:59.999999'", "TIME '24:00:00'", "'x'"),
}
_TEXTS = (
    *("LENGTH({s}) = 3", "LOWER({s}) = 'a'", "UPPER({s}) = 'A'", "TRIM({s}) = 'a'", "TRIM({s}, 'a') = ''"),
    *("TRIM({s}) = {s}", "LENGTH(TRIM({s})) = 0", "CONCAT({s}, 'b') = 'ab'", "{s} || {t} = 'aa'", "CONCAT({s}) = 'a'"),
    *("STARTS_WITH({s}, 'a')", "ENDS_WITH({s}, {t})", "{s} LIKE 'a%'", "{s} LIKE '_a_'", "{s} LIKE '%b\\_%'"),
    *("{s} LIKE {t}", "{s} NOT LIKE '%\"%'", "REGEXP_CONTAINS({s}, r'^a')", "REGEXP_CONTAINS({s}, r'^\\d+$')"),
    *("REGEXP_CONTAINS({s}, '[')", "REGEXP_CONTAINS({s}, r'(?i)^A')", "REGEXP_CONTAINS({s}, '(?=a)')"),
    *(
        "REGEXP_CONTAINS({s}, r'\\p{{L}}')",
        "REGEXP_CONTAINS({s}, '(a{{10}}){{101}}')",
        "REGEXP_CONTAINS({s}, r'[[:alpha:]]\\z')",
    ),
    *(
        "REGEXP_CONTAINS({s}, r'(?P<x>a)(?s:.)')",
        "REGEXP_CONTAINS({s}, r'a*?b+?c{{1,3}}?')",
        "REGEXP_CONTAINS({s}, r'[\\w\\s.-]+')",
    ),
    *(
        "REGEXP_CONTAINS({s}, r'\\x{{e9}}|\\x41|\\Qa.b\\E')",
        "REGEXP_CONTAINS({s}, 'a**')",
        "REGEXP_CONTAINS({s}, r'a{{,3}}')",
    ),
    *("REGEXP_CONTAINS({s}, r'[a-\\d]')", "REGEXP_CONTAINS({s}, '[b-a]')", "REGEXP_CONTAINS({s}, '(?i:a)(?-s)b')"),
    *(
        "REGEXP_CONTAINS({s}, '[[:foo:]]')",
        "REGEXP_CONTAINS({s}, 'a|*')",
        "REGEXP_CONTAINS({s}, r'\\8')",
        "REGEXP_CONTAINS({s}, '{{2}}')",
    ),
)
_NUMBERS = (
    *(
        "SAFE_ADD({x}, {y}) > 0",
        "SAFE_SUBTRACT({x}, {y}) IS NULL",
        "SAFE_MULTIPLY({x}, 2) > 1",
        "SAFE_NEGATE({x}) < 0",
    ),
    *(
        "SAFE_DIVIDE({x}, {y}) IS NULL",
        "SAFE_DIVIDE({x}, 2) > 1",
        "SAFE_ADD({x}, 1) IS NULL",
        "MOD({x}, 2) = 1",
        "MOD({x}, 7) = -1",
    ),
    *(
        "IS_NAN({x})",
        "IS_INF({x})",
        "SAFE_ADD({x}, {y}) IS NULL",
        "SAFE_ADD({x}, 0.5) = 2",
        "SAFE_MULTIPLY({x}, {y}) IS NULL",
    ),
    *("SAFE_DIVIDE(1e308, {x}) > 1", "SAFE_DIVIDE(1, {x}) = 0.5"),
)
_ANY = (
    *("{x} = {y}", "{x} < {y}", "{x} >= {y}", "{x} IS DISTINCT FROM {y}", "{x} IN ({y}, {x})", "{x} NOT IN ({y})"),
    *("{x} BETWEEN {y} AND {x}", "COALESCE({x}, {y}) = {x}", "IFNULL({y}, {x}) = {x}", "NULLIF({x}, {y}) IS NULL"),
    *(
        "GREATEST({x}, {y}) = {x}",
        "LEAST({x}, {y}) = {x}",
        "IF(b, {x}, {y}) = {x}",
        "CASE {x} WHEN {y} THEN TRUE ELSE b END",
    ),
    *("CASE WHEN b THEN {x} ELSE {y} END = {x}", "{x} IS NOT NULL AND NOT ({x} = {y})"),
)


def checks() -> Iterator[str]:
    """Each shape for each type; some that a contract must refuse are among them."""
    columns = {kind: [name for name, one in COLUMNS.items() if one == kind] for kind in VALUES}
    yield from (one.format(s="s", t="t") for one in _TEXTS)
    for kind, names in columns.items():
        x, y = names[0], names[-1]
        for template, other in itertools.product(_ANY, (y, *_CONSTANTS[kind])):
            if template in _ANY[:3] or other in (y, *_CONSTANTS[kind][:2]):
                yield template.format(x=x, y=other)
        yield from (
            template.format(x=x, y=y) for template in _NUMBERS if kind in ("INT64", "NUMERIC", "FLOAT64", "DATE")
        )
        yield from (f"SAFE_CAST({x} AS {to}) IS NULL" for to in VALUES)
        yield from (f"SAFE_CAST({x} AS {to}) = {columns[to][-1]}" for to in VALUES)
        yield from (
            f"SAFE_CAST({x} AS STRING) = '{value}'"
            for value in VALUES[kind][:3]
            if "'" not in value and "\\" not in value
        )
        for other in columns:
            yield f"{x} = {columns[other][0]}"
            yield f"{x} < {columns[other][-1]}"
        for part in (
            "YEAR",
            "QUARTER",
            "MONTH",
            "DAY",
            "DAYOFWEEK",
            "DAYOFYEAR",
            "HOUR",
            "MINUTE",
            "SECOND",
            "WEEK",
            "DATE",
            "EPOCH",
        ):
            yield from (f"EXTRACT({part} FROM {x}) = {number}" for number in (1, 2, 12, 59, 366))
        yield f"EXTRACT(HOUR FROM {x} AT TIME ZONE 'UTC') = 23"
        yield from (f"{x} IS TRUE", f"NOT {x}", f"{x} OR b", f"IF({x}, b, NULL)", x)
    yield from (
        "NVL(s, 'a') = 'a'",
        "LCASE(s) = 'a'",
        "LEN(s) = 1",
        "TRY_CAST(i AS STRING) = '1'",
        "s = 'it''s'",
        "LTRIM(s) = s",
        *("ARRAY_LENGTH(r) = 2", "r IS NULL", "r = r", "ARRAY_LENGTH(s) = 2", "ARRAY_LENGTH(NULL) = 1", "r IN (r)"),
        *("NULLIF(r, r) IS NULL", "CASE r WHEN r THEN TRUE END", "ARRAY_LENGTH(COALESCE(r, r)) > SAFE_ADD(i, 1)"),
    )


def rows() -> list[dict[str, str]]:
    """Each value with each other of its type, and a row of nothing."""
    longest = max(len(some) ** 2 for some in VALUES.values())
    found = []
    for number in range(longest):
        row = {}
        seen: dict[str, int] = {}
        for name, kind in COLUMNS.items():
            some, is_second = VALUES[kind], seen.get(kind, 0)
            row[name] = some[number // len(some) % len(some) if is_second else number % len(some)]
            seen[kind] = 1
        found.append(row)
    return [*found, dict.fromkeys(COLUMNS, "")]
