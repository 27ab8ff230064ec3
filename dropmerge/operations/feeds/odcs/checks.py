"""Rules of the standard as checks of a contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dropmerge.operations.feeds.odcs import COUNT_FAILED
from dropmerge.operations.feeds.odcs.document import Rule

_BOUNDS = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
_NUMBERS = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")


def of_options(column: str, kind: str, options: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """By logical type option, the check that says the same of a column; None where none does."""
    for option, value in options.items():
        try:
            yield option, _of_option(f"`{column}`", kind, option, value)
        except ValueError:
            yield option, None


def _of_option(name: str, kind: str, option: str, value: Any) -> str | None:
    match option:
        case "minLength" | "maxLength" if kind == "STRING":
            return f"LENGTH({name}) {'>=' if option == 'minLength' else '<='} {_literal(value, 'INT64')}"
        case "pattern" if kind == "STRING":
            return f"REGEXP_CONTAINS({name}, {_literal(value, kind)})"
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" if kind in (*_NUMBERS, "DATE"):
            return f"{name} {_BOUNDS[option]} {_literal(value, kind)}"
        case "multipleOf" if kind == "INT64":
            return f"MOD({name}, {_literal(value, kind)}) = 0"
        case _:
            return None


def of_rule(column: str, kind: str, rule: Rule) -> str | None:
    """The check that says the same of each row; None where none does."""
    if type(rule.mustBe) is not int or rule.mustBe != 0:
        return None
    if rule.type == "sql" and rule.query and rule.query.startswith(COUNT_FAILED) and rule.query.endswith(")"):
        return rule.query[len(COUNT_FAILED) : -1]
    try:
        return _of_invalid_values(f"`{column}`", kind, rule)
    except ValueError:
        return None


def _of_invalid_values(name: str, kind: str, rule: Rule) -> str | None:
    arguments = rule.arguments or {}
    if (rule.metric or rule.rule) != "invalidValues":
        return None
    if list(arguments) == ["validValues"] and isinstance(arguments["validValues"], list):
        return f"{name} IN ({', '.join(_literal(one, kind) for one in arguments['validValues'])})"
    if list(arguments) == ["pattern"] and kind == "STRING":
        return f"REGEXP_CONTAINS({name}, {_literal(arguments['pattern'], kind)})"
    return None


def _literal(value: Any, kind: str) -> str:
    """SQL of a value of the document. Raises ValueError where it is none of the type."""
    if kind in _NUMBERS:
        if type(value) not in (int, float):
            raise ValueError(f"{value!r} is no number")
        return str(value)
    # GoogleSQL takes the escapes of JSON in a text (https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical).
    inner = json.dumps(str(value), ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"DATE '{inner}'" if kind == "DATE" else f"'{inner}'"
