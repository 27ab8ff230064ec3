"""A contract's `check`: one expression over a row that answers the same at each replay and fails for no value.

What is not listed here is refused. A clock or chance would decide a row's fate otherwise the next time; and one value
that makes BigQuery fail (a zero to divide by, a sum that overflows) would cost the whole file, whatever `bad_rows`
says.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlglot
from sqlglot import TokenType, exp

from services.shared.contract.expression_constants import literal_fault
from services.shared.contract.expression_types import MismatchError, Types

FUNCTIONS: dict[str, type[exp.Expression]] = {
    "LENGTH": exp.Length,
    "ARRAY_LENGTH": exp.ArraySize,
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


_KEYWORDS = {"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "FROM", "CAST"}
"""What a parenthesis may follow besides a function's name."""
_TEXTS = (TokenType.STRING, TokenType.RAW_STRING)


def validate(text: str, columns: Mapping[str, str]) -> str:
    """The check written anew, so that only an expression can get through; times are in UTC, whatever the project says.

    `columns`: name to type. Raises ValueError for what may differ at a replay, fail for a value, or never run.
    """
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
        raise ValueError(f"check {text!r} names columns that are not in the contract: {', '.join(sorted(unknown))}")
    for node in where.this.walk():
        fault = _fault(node)
        if fault:
            raise ValueError(f"check {text!r}: {_sql(node)} {fault}")
    fault = _fault_as_written(text)
    if fault:
        raise ValueError(f"check {text!r}: {fault}")
    try:
        types = Types(columns)
        types.condition(where.this)
        return _sql(_in_utc(where.this, types))
    except MismatchError as error:
        raise ValueError(f"check {text!r}: {_sql(error.node)} {error}") from error


def _sql(node: exp.Expression) -> str:
    return str(node.sql(dialect="bigquery", comments=False))


def _fault_as_written(text: str) -> str:
    """What the parser does not keep: how a function's name and a constant were written."""
    tokens = sqlglot.tokenize(text, read="bigquery")
    for one, after in zip(tokens, [*tokens[1:], tokens[0]], strict=True):
        is_text, is_called = one.token_type in _TEXTS, after.token_type is TokenType.L_PAREN and one.text[:1].isalpha()
        if is_text and after.token_type in _TEXTS and after is not tokens[0]:
            return f"{after.text!r} follows another text: write one, and a quote in it as \\'"
        if is_called and not is_text and one.text.upper() not in {*FUNCTIONS, *_KEYWORDS}:
            return f"{one.text} is not one of the functions that a check may use: {', '.join(FUNCTIONS)}"
        source = text[one.start : one.end + 1]
        fault = literal_fault(source) if is_text else ""
        if fault:
            return f"{source} {fault}"
    return ""


def _in_utc(tree: exp.Expression, types: Types) -> exp.Expression:
    """EXTRACT of a TIMESTAMP follows the project's default time zone, unless it names one."""
    for node in list(tree.find_all(exp.Extract)):
        moment = node.expression.this if isinstance(node.expression, exp.AtTimeZone) else node.expression
        if types.is_instant(moment):
            # As text: the parser would write a zone anew as a conversion that ends in the default one.
            node.set("expression", exp.Var(this=f"{_sql(moment)} AT TIME ZONE 'UTC'"))
    return tree


def _fault(node: exp.Expression) -> str:
    """Why a check may not have it; empty if it may. What stands below it is judged on its own."""
    kind = type(node)
    if kind is exp.Mod:
        by = node.expression
        return (
            ""
            if isinstance(by, exp.Literal) and by.is_int and int(by.name)
            else "may divide by zero: MOD takes a whole number above 0"
        )
    if kind in (exp.Like, exp.RegexpLike):
        return (
            ""
            if isinstance(node.expression, _CONSTANTS)
            else "may fail for a pattern: write the pattern as one literal"
        )
    if kind is exp.AtTimeZone:
        return "" if isinstance(node.parent, exp.Extract) and node.args["zone"].name == "UTC" else "is not in 'UTC'"
    constant = kind in (exp.Cast, exp.Neg) and isinstance(node.this, _CONSTANTS)  # DATE '2000-01-01', -90
    if kind in _ALLOWED or constant:
        return ""
    if kind in _SAFE_ALTERNATIVES:
        return f"may fail for a value, and with it the whole file: write {_SAFE_ALTERNATIVES[kind]}(…)"
    return (
        "may differ at a replay, or fail for a value: compare with another column or a literal such as "
        f"DATE '2000-01-01'; the functions that a check may use are {', '.join(FUNCTIONS)}"
    )
