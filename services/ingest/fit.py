"""A typed field for a column of the contract: which of the column's options hold, and how texts of two types meet.

A column's options (format, words, decimal sign …) describe how others write a value as a text or a whole number: a
STRING and an INT64 field are read by them. A field of any other type has its canonical text, whatever the options say;
a time zone holds for a DATETIME, which has none.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from services.ingest.formats.raw_field import RawField
from services.shared.contract.columns import Column
from services.shared.contract.types import ColumnType, type_named
from services.shared.contract.types.repeated import Repeated

_READ_BY_OPTIONS = ("STRING", "INTEGER")
_ZONES = ("zone", "local_twice", "local_never")
_WHOLE_FLOATS = 2**53
"""Up to here every whole number is a FLOAT64."""


def reading(column: Column, field: RawField | None) -> ColumnType:
    """The type that reads the texts of a column; `field`: what the file has for it, where the file has types."""
    if field is None or field.kind in _READ_BY_OPTIONS:
        return column.kind
    kept = {name: value for name, value in column.options.items() if name in _ZONES}
    one = type_named(column.type).with_options(kept)
    return Repeated(one) if column.mode == "REPEATED" else one


def fitted(text: str, field: RawField | None, column: Column) -> str:
    """SQL of a text as the column's type takes it, where that means the same value; the text itself elsewhere."""
    match (field.kind if field else None, column.type):
        case ("FLOAT", "NUMERIC" | "BIGNUMERIC"):
            return _without_exponent(text)
        case ("FLOAT", "INT64"):
            # A greater one need not be the number that was meant: its text stays one that no INT64 has.
            is_beyond = f"ABS(SAFE_CAST({text} AS FLOAT64)) > {_WHOLE_FLOATS}"
            refused = f"IF(REGEXP_CONTAINS({text}, r'^[-0-9.]+$'), CONCAT({text}, 'e+00'), {text})"
            return f"IF({is_beyond}, {refused}, {_without_exponent(text)})"
        case ("TIMESTAMP", "DATETIME"):
            return f"RTRIM({text}, 'Z')"
        case ("TIMESTAMP" | "DATETIME", "DATE"):
            return f"REGEXP_REPLACE({text}, r'T00:00:00[.]000000Z?$', '')"
    return text


def fitted_text(text: str, field: RawField | None, column: Column) -> str:
    """The same of a text that Python has."""
    match (field.kind if field else None, column.type):
        case ("FLOAT", "NUMERIC" | "BIGNUMERIC") if _is_finite(text):
            return f"{Decimal(text):f}"
        case ("FLOAT", "INT64") if _is_finite(text):
            if abs(float(text)) > _WHOLE_FLOATS:
                return text if "e" in text else f"{text}e+00"
            return f"{Decimal(text):f}"
        case ("TIMESTAMP", "DATETIME"):
            return text.rstrip("Z")
        case ("TIMESTAMP" | "DATETIME", "DATE"):
            return re.sub(r"T00:00:00[.]000000Z?\Z", "", text)
    return text


def _is_finite(text: str) -> bool:
    return math.isfinite(float(text))


def _without_exponent(text: str) -> str:
    """The same number: 1.5e+20 as 150000000000000000000, 1e-05 as 0.00001."""
    sign = f"IF(STARTS_WITH({text}, '-'), '-', '')"
    digits = f"REPLACE(REGEXP_EXTRACT({text}, r'^-?([0-9.]+)e'), '.', '')"
    exponent = f"SAFE_CAST(REGEXP_EXTRACT({text}, r'e[+-]([0-9]+)$') AS INT64)"
    zeros = f"REPEAT('0', {exponent} + 1 - LENGTH({digits}))"
    greater, smaller = (f"STRPOS({text}, 'e{sign}') > 0" for sign in "+-")
    return (
        f"CASE WHEN {greater} THEN CONCAT({sign}, {digits}, {zeros})"
        f" WHEN {smaller} THEN CONCAT({sign}, '0.', REPEAT('0', {exponent} - 1), {digits}) ELSE {text} END"
    )
