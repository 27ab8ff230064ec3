"""Where DuckDB would answer otherwise than GoogleSQL: a statement is changed so that both mean one thing."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from localcloud.warehouse import canonical, geography, json_functions, numbers

_BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""Unicode's white space, which TRIM takes off; DuckDB's takes spaces
(https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#trim)."""
_SAFE = (exp.SafeAdd, exp.SafeSubtract, exp.SafeMultiply, exp.SafeDivide)


def as_google(tree: Any) -> Any:
    """The tree of a statement in GoogleSQL, changed in place."""
    for node in list(tree.find_all(exp.Trim)):
        if node.expression is None and not node.args.get("position"):
            node.set("expression", exp.Literal.string(_BLANKS))
    for node in list(tree.find_all(exp.DataType)):
        _whole_numeric(node)
    json_functions.as_google(tree)
    canonical.as_google(tree)
    geography.as_google(tree)
    for node in reversed(list(tree.find_all(exp.Try))):
        if isinstance(node.this, exp.ParseNumeric):
            node.replace(_narrow_first(node.this.this))
    # The innermost first: what is around them is copied with them.
    for node in reversed(list(tree.find_all(*_SAFE))):
        node.replace(_finite(node.copy()))
    for node in reversed(list(tree.find_all(exp.TimestampAdd))):
        if str(node.args.get("unit")).upper() == "MICROSECOND":
            node.replace(_exact(node.copy()))
    return tree


def _whole_numeric(kind: exp.DataType) -> None:
    """DuckDB's DECIMAL without digits has three decimals, NUMERIC has nine."""
    scale = {exp.DataType.Type.DECIMAL: 9, exp.DataType.Type.BIGDECIMAL: numbers.SCALE}.get(kind.this)
    if scale is not None and not kind.expressions:
        kind.set("this", exp.DataType.Type.DECIMAL)
        kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(digits)) for digits in (38, scale)])


def _narrow_first(text: exp.Expression) -> Any:
    """DuckDB makes a DECIMAL(18, 9) of a text fifty times as fast as one of 38 digits, and of a text without exponent
    the same value, or none. (It crashes where TRY is around a COALESCE of the two.)"""
    narrow, wide = (
        exp.TryCast(this=text.copy(), to=exp.DataType.build(f"DECIMAL({digits}, 9)", dialect="duckdb"))
        for digits in (18, 38)
    )
    has_exponent = exp.RegexpLike(this=text.copy(), expression=exp.Literal.string("[eE]"))
    return exp.func("COALESCE", exp.case().when(exp.not_(has_exponent), narrow), wide)


def _exact(added: exp.TimestampAdd) -> Any:
    """DuckDB's interval has microseconds as a float, which is not exact beyond 2^53: for instants after 2255."""
    count = exp.cast(added.expression, exp.DataType.Type.BIGINT)
    return exp.paren(exp.Add(this=exp.paren(added.this), expression=exp.func("TO_MICROSECONDS", count)))


def _finite(result: Any) -> Any:
    """A FLOAT64 that overflows is NULL for SAFE_ADD and its like; in DuckDB it is infinite."""
    for infinity in ("inf", "-inf"):
        constant = exp.cast(exp.Literal.string(infinity), exp.DataType.Type.DOUBLE)
        result = exp.Nullif(this=result, expression=constant)
    return result
