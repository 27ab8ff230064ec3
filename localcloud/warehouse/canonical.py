"""Texts of values, by the calls that make them in GoogleSQL, as DuckDB makes the same.

FORMAT of a FLOAT64 by `%g` or `%e`; FORMAT_TIMESTAMP and FORMAT_DATETIME of a year by `%E4Y` and of seconds by `%E6S`
(https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time), which
bqemulator 1.4.0 has made calls of a function in Python by then, for whose `%E4Y` there is none.
"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

_SLOW = "bqemu_format_timestamp_iso"


def as_google(tree: Any) -> None:
    """In the tree of a statement, changed in place."""
    for node in reversed(list(tree.find_all(exp.Format, exp.Anonymous))):
        call = _number(node) if isinstance(node, exp.Format) else _moment(node)
        if call is not None:
            node.replace(call)


def _number(node: Any) -> Any:
    is_number = re.fullmatch("%[.][0-9]+[ge]", node.this.name) and len(node.expressions) == 1
    return exp.func("PRINTF", node.this.copy(), node.expressions[0].copy()) if is_number else None


def _moment(node: Any) -> Any:
    if node.this != _SLOW or not node.expressions[0].name.startswith("%E4Y"):
        return None
    format_, of, zone = node.expressions
    value = of.this.copy()
    if isinstance(of, exp.Timestamp):
        value = exp.Anonymous(this="TIMEZONE", expressions=[zone.copy(), value])
    text = exp.Literal.string(format_.name.replace("%E4Y", "%Y"))
    return exp.Anonymous(this="STRFTIME", expressions=[value, text])
