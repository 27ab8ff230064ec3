"""The type of each part of a check: what GoogleSQL has no function or operator for is refused with the contract.

Follows https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules for the few expressions that a
check may have; tests hold it against Google's own analyser.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from services.shared.contract.expression_constants import constant_fault, pattern_fault
from services.shared.contract.types import TYPES

_NUMBERS = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")
"""Each is also one of those after it."""
_LITERALS = {
    "TIMESTAMPTZ": "TIMESTAMP",
    "TIMESTAMP": "DATETIME",
    "DECIMAL": "NUMERIC",
    "BIGINT": "INT64",
    "DOUBLE": "FLOAT64",
}
_NAMES = {**_LITERALS, "TEXT": "STRING", "VARCHAR": "STRING", "BOOLEAN": "BOOL", "BIGDECIMAL": "BIGNUMERIC"}
"""GoogleSQL's names of what sqlglot calls otherwise."""
CASTS = {
    "INT64": ("INT64", "FLOAT64", "STRING"),
    "BOOL": ("BOOL", "INT64", "STRING"),
    "DATE": ("DATE", "STRING"),
    "NUMERIC": ("NUMERIC", "FLOAT64"),
}
"""From, and to what. The others depend on the project's time zone, or read texts that the contract's types refuse."""
_DAYS = ("YEAR", "QUARTER", "MONTH", "DAY", "DAYOFWEEK", "DAYOFYEAR")
_CLOCK = ("HOUR", "MINUTE", "SECOND")
PARTS = {"DATE": _DAYS, "TIMESTAMP": (*_DAYS, *_CLOCK), "DATETIME": (*_DAYS, *_CLOCK), "TIME": _CLOCK}
_MOMENTS = tuple(PARTS)
"""Whose constants may be plain texts beside them."""
_TEXTS = (exp.Length, exp.Lower, exp.Upper, exp.Trim, exp.Concat, exp.DPipe, exp.StartsWith, exp.EndsWith)
_CHOICES = (exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least)
_COMPARISONS = (
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Between,
    exp.In,
)
_ARITHMETIC = (exp.SafeAdd, exp.SafeSubtract, exp.SafeMultiply, exp.SafeDivide, exp.SafeNegate, exp.Mod)


class MismatchError(Exception):
    """A part of a check that GoogleSQL would refuse."""

    def __init__(self, node: exp.Expression, fault: str) -> None:
        super().__init__(fault)
        self.node = node


@dataclass(frozen=True)
class _Type:
    name: str
    """A type's name; empty for NULL, which fits everywhere."""
    value: str | None = None
    """Of a constant without a type of its own: it takes that of what it stands beside."""


_BOOL, _INT64, _STRING, _NULL = _Type("BOOL"), _Type("INT64"), _Type("STRING"), _Type("")


def type_name(node: exp.Expression) -> str:
    """Of a DataType, as GoogleSQL calls it."""
    name = str(node.this.value if hasattr(node.this, "value") else node.this)
    return _NAMES.get(name, name)


class Types:
    """Finds the type of an expression over columns, name to type. Raises MismatchError."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._columns = columns

    def condition(self, node: exp.Expression) -> None:
        """Check that a whole expression is a condition."""
        self._expect(node, "BOOL")

    def is_instant(self, node: exp.Expression) -> bool:
        return self.of(node).name == "TIMESTAMP"

    def of(self, node: exp.Expression) -> _Type:
        if isinstance(node, exp.Column):
            return _Type(self._columns[node.name])
        if isinstance(node, exp.Paren):
            return self.of(node.this)
        for kinds, rule in self._rules:
            if isinstance(node, kinds):
                return rule(self, node)
        raise MismatchError(node, "may not be used in a check")

    def _constant(self, node: exp.Expression) -> _Type:
        if isinstance(node, exp.Null):
            return _NULL
        if isinstance(node, exp.Boolean):
            return _BOOL
        if isinstance(node, exp.Neg):
            return self._number(node, f"-{node.this.name}")
        return (
            _Type("STRING", node.name)
            if node.is_string or isinstance(node, exp.RawString)
            else self._number(node, node.name)
        )

    @staticmethod
    def _number(node: exp.Expression, text: str) -> _Type:
        kind = "INT64" if text.lstrip("-").isdigit() else "FLOAT64"
        if kind == "INT64" and not TYPES[kind].accepts(text):
            raise MismatchError(node, "does not fit in 64 bits")
        if kind == "FLOAT64" and math.isinf(float(text)):
            raise MismatchError(node, "does not fit in a FLOAT64")
        return _Type(kind, text)

    def _cast(self, node: exp.Expression) -> _Type:
        """A constant with its type before it."""
        kind, text = (
            type_name(node.args["to"]),
            node.this.name if not isinstance(node.this, exp.Neg) else f"-{node.this.this.name}",
        )
        fault = constant_fault(kind, text)
        if fault:
            raise MismatchError(node, fault)
        return _Type(kind)

    def _safe_cast(self, node: exp.Expression) -> _Type:
        found, to = self.of(node.this).name, type_name(node.args["to"])
        allowed = CASTS.get(found, (found,))
        if to not in allowed:
            raise MismatchError(
                node, f"reads a {found} as a {to}: SAFE_CAST makes of a {found} one of {', '.join(allowed)}"
            )
        return _Type(to)

    def _logic(self, node: exp.Expression) -> _Type:
        for one in _operands(node):
            self._expect(one, "BOOL")
        return _BOOL

    def _is(self, node: exp.Expression) -> _Type:
        if not isinstance(node.expression, exp.Null):
            self._expect(node.this, "BOOL")
        self.of(node.this)
        return _BOOL

    def _compare(self, node: exp.Expression) -> _Type:
        operands = _operands(node)
        if not isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ) and any(
            isinstance(one, exp.Null) for one in operands
        ):
            raise MismatchError(node, "compares with NULL: write IS NULL")
        self._ordered(node, operands)
        return _BOOL

    def _ordered(self, node: exp.Expression, operands: Iterable[exp.Expression]) -> _Type:
        """The type that all operands have, whose values GoogleSQL can compare."""
        found = self._common(node, operands)
        kind = TYPES.get(found.name)
        if found.name.startswith("ARRAY") or (kind and kind.comparable("x") != "x"):
            raise MismatchError(node, f"compares values of {found.name}, which has no order")
        return found

    def _match(self, node: exp.Expression) -> _Type:
        self._text(node)
        pattern = node.expression.name
        if isinstance(node, exp.Like) and "\\" in pattern:
            raise MismatchError(
                node, "has a backslash in its pattern: write STARTS_WITH, ENDS_WITH or REGEXP_CONTAINS"
            )
        fault = pattern_fault(pattern) if isinstance(node, exp.RegexpLike) else ""
        if fault:
            raise MismatchError(node, fault)
        return _BOOL

    def _text(self, node: exp.Expression) -> _Type:
        for one in _operands(node):
            self._expect(one, "STRING")
        if isinstance(node, exp.Length):
            return _INT64
        return _BOOL if isinstance(node, exp.StartsWith | exp.EndsWith) else _STRING

    def _choice(self, node: exp.Expression) -> _Type:
        if isinstance(node, exp.Nullif):
            return self._ordered(node, _operands(node))
        if isinstance(node, exp.Coalesce):
            return self._common(node, _operands(node))
        self._compare(node)
        return self._common(node, _operands(node))

    def _if(self, node: exp.Expression) -> _Type:
        self._expect(node.this, "BOOL")
        results = [node.args["true"], node.args.get("false")]
        return self._common(node, [one for one in results if one is not None])

    def _case(self, node: exp.Expression) -> _Type:
        branches = node.args["ifs"]
        conditions = [one.this for one in branches]
        if node.this:
            self._ordered(node, [node.this, *conditions])
        else:
            for one in conditions:
                self._expect(one, "BOOL")
        results = [*(one.args["true"] for one in branches), node.args.get("default")]
        return self._common(node, [one for one in results if one is not None])

    def _arithmetic(self, node: exp.Expression) -> _Type:
        found = self._common(node, _operands(node))
        fits = ("INT64", "NUMERIC", "BIGNUMERIC") if isinstance(node, exp.Mod) else _NUMBERS
        if found.name not in ("", *fits):
            raise MismatchError(node, f"takes {' or '.join(fits)}, not {found.name}")
        is_ratio = isinstance(node, exp.SafeDivide) and found.name in ("", "INT64")
        return _Type("FLOAT64") if is_ratio else _Type(found.name or "INT64")

    def _float(self, node: exp.Expression) -> _Type:
        if self.of(node.this).name not in ("", *_NUMBERS):
            raise MismatchError(node, "takes a number")
        return _BOOL

    def _array_length(self, node: exp.Expression) -> _Type:
        found = self.of(node.this)
        if not found.name.startswith("ARRAY"):
            raise MismatchError(node, f"takes a REPEATED column, not {found.name or 'NULL'}")
        return _INT64

    def _extract(self, node: exp.Expression) -> _Type:
        moment, part = node.expression, node.this.name.upper()
        if isinstance(moment, exp.AtTimeZone):
            moment = moment.this
            if self.of(moment).name != "TIMESTAMP":
                raise MismatchError(node, "names a time zone, though the value is not a TIMESTAMP")
        kind = self.of(moment).name
        if part not in PARTS.get(kind, ()):
            known = "; ".join(f"of a {name} {', '.join(parts)}" for name, parts in PARTS.items())
            raise MismatchError(node, f"is not a part of a {kind} that a check may use. These are: {known}")
        return _INT64

    def _expect(self, node: exp.Expression, kind: str) -> None:
        found = self.of(node)
        if found.name not in ("", kind):
            raise MismatchError(node, f"is of type {found.name}, not {kind}")

    def _common(self, node: exp.Expression, operands: Iterable[exp.Expression]) -> _Type:
        """The type that all operands have, or become."""
        found = [one for one in map(self.of, operands) if one.name]
        firm = {one.name for one in found if one.value is None}
        names = firm or {one.name for one in found}
        if names <= set(_NUMBERS):
            name = max(names, key=_NUMBERS.index, default="")
            name = _widened(name, found)
        elif len(names) == 1:
            (name,) = names
        else:
            raise MismatchError(node, f"puts {' and '.join(sorted(names))} together")
        for one in found:
            self._becomes(node, one, name)
        return _Type(name)

    @staticmethod
    def _becomes(node: exp.Expression, one: _Type, name: str) -> None:
        if one.name == name or (one.value is None and one.name in _NUMBERS):
            return
        is_number = one.name in _NUMBERS and name in _NUMBERS
        if one.value is None or not (is_number or one.name == "STRING"):
            raise MismatchError(node, f"puts {name} and {one.name} together")
        fault = constant_fault(name, _plain(one.value) if is_number else one.value)
        if fault or (one.name == "STRING" and name not in _MOMENTS):
            raise MismatchError(node, f"puts {name} and {one.value!r} together, which {fault or 'is a STRING'}")

    _rules = (
        ((exp.Literal, exp.RawString, exp.Null, exp.Boolean, exp.Neg), _constant),
        (exp.TryCast, _safe_cast),
        (exp.Cast, _cast),
        ((exp.And, exp.Or, exp.Not), _logic),
        (exp.Is, _is),
        (_COMPARISONS, _compare),
        ((exp.Like, exp.RegexpLike), _match),
        (_TEXTS, _text),
        (_CHOICES, _choice),
        (exp.If, _if),
        (exp.Case, _case),
        (_ARITHMETIC, _arithmetic),
        ((exp.IsNan, exp.IsInf), _float),
        (exp.Extract, _extract),
        (exp.ArraySize, _array_length),
    )


def _operands(node: exp.Expression) -> list[exp.Expression]:
    return list(node.iter_expressions())


def _widened(name: str, found: Iterable[_Type]) -> str:
    """A decimal fraction makes a FLOAT64 of whole numbers; beside a NUMERIC it is one."""
    has_fraction = any(one.name == "FLOAT64" for one in found)
    return "FLOAT64" if has_fraction and name == "INT64" else name


def _plain(number: str) -> str:
    return f"{Decimal(number):f}"
