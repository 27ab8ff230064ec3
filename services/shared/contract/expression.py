"""A contract's `check`: one expression over a row that answers the same at each replay and fails for no value.

What is not listed here is refused. A clock or chance would decide a row's fate otherwise the next time; and one value
that makes BigQuery fail (a zero to divide by, a sum that overflows) would cost the whole file, whatever `bad_rows`
says.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlglot
from sqlglot import exp

FUNCTIONS: dict[str, type[exp.Expression]] = {
    "LENGTH": exp.Length,
    "LOWER": exp.Lower,
    "UPPER": exp.Upper,
    "TRIM": exp.Trim,
    "CONCAT": exp.Concat,
    "STARTS_WITH": exp.StartsWith,
    "ENDS_WITH": exp.EndsWith,
    "REGEXP_CONTAINS": exp.RegexpLike,
    "COALESCE": exp.Coalesce,
    "IFNULL": exp.Coalesce,
    "NULLIF": exp.Nullif,
    "IF": exp.If,
    "GREATEST": exp.Greatest,
    "LEAST": exp.Least,
    "MOD": exp.Mod,
    "EXTRACT": exp.Extract,
    "IS_NAN": exp.IsNan,
    "IS_INF": exp.IsInf,
    "SAFE_CAST": exp.TryCast,
    "SAFE_ADD": exp.SafeAdd,
    "SAFE_SUBTRACT": exp.SafeSubtract,
    "SAFE_MULTIPLY": exp.SafeMultiply,
    "SAFE_DIVIDE": exp.SafeDivide,
    "SAFE_NEGATE": exp.SafeNegate,
}
_CONSTANTS = (exp.Literal, exp.RawString)
# Of the classes themselves: what sqlglot derives from them is another function.
_ALLOWED = {
    *FUNCTIONS.values(),
    *_CONSTANTS,
    *(exp.Column, exp.Identifier, exp.Paren, exp.Boolean, exp.Null, exp.DataType, exp.Var, exp.Case),
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ),
    *(exp.Between, exp.In, exp.Is, exp.Like, exp.DPipe),
}
_SAFE_ALTERNATIVES: dict[type[exp.Expression], str] = {
    exp.Add: "SAFE_ADD",
    exp.Sub: "SAFE_SUBTRACT",
    exp.Mul: "SAFE_MULTIPLY",
    exp.Div: "SAFE_DIVIDE",
    exp.Neg: "SAFE_NEGATE",
    exp.Cast: "SAFE_CAST",
}


def validate(text: str, columns: Collection[str]) -> str:
    """The check written anew, so that only an expression can get through. Raises ValueError."""
    try:
        tree = sqlglot.parse_one(f"SELECT 1 WHERE ({text})", read="bigquery")
    except sqlglot.errors.SqlglotError as error:
        raise ValueError(f"check {text!r} is not SQL: {error}") from error
    where = tree.find(exp.Where)
    if not isinstance(tree, exp.Select) or where is None or len(list(tree.find_all(exp.Select))) > 1:
        raise ValueError(f"check {text!r} must be one expression over the row's columns")
    named = where.find_all(exp.Column)
    unknown = {_sql(one) for one in named if one.name not in columns or len(one.parts) > 1}
    if unknown:
        raise ValueError(f"check {text!r} names no column of the contract: {', '.join(sorted(unknown))}")
    for node in where.this.walk():
        fault = _fault(node)
        if fault:
            raise ValueError(f"check {text!r}: {_sql(node)} {fault}")
    return _sql(where.this)


def _sql(node: exp.Expression) -> str:
    return str(node.sql(dialect="bigquery", comments=False))


def _fault(node: exp.Expression) -> str:
    """Why a check may not have it; empty if it may. What stands below it is judged by itself."""
    kind = type(node)
    if kind is exp.Mod:
        by = node.expression
        return (
            ""
            if isinstance(by, exp.Literal) and by.is_int and int(by.name)
            else "may divide by zero: MOD takes a whole number above 0"
        )
    if kind in (exp.Like, exp.RegexpLike):
        return "" if isinstance(node.expression, _CONSTANTS) else "may fail for a pattern: write it out, as one text"
    constant = kind in (exp.Cast, exp.Neg) and isinstance(node.this, _CONSTANTS)  # DATE '2000-01-01', -90
    if kind in _ALLOWED or constant:
        return ""
    if kind in _SAFE_ALTERNATIVES:
        return f"may fail for a value, and with it the whole file: write {_SAFE_ALTERNATIVES[kind]}(…)"
    return (
        "may differ at a replay, or fail for a value: compare with another column or a literal such as "
        f"DATE '2000-01-01'; the functions that a check may use are {', '.join(FUNCTIONS)}"
    )
