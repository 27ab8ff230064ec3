"""BIGNUMERIC in the local warehouse: 20 digits and 18 decimals, as DuckDB has 38 digits in all.

What has more is no BIGNUMERIC here, so its row is refused, as out of range. bqemulator 1.4.0 rounds it, and takes the
base64 of a parameter of BYTES for the bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from bqemulator.sql import parameters
from bqemulator.storage import type_map
from bqemulator.storage.engine import DuckDBEngine

from localcloud.warehouse.replace import replace

SCALE = 18
_TYPE = f"DECIMAL(38,{SCALE})"
_LIMIT = Decimal(10) ** (38 - SCALE)
_original: dict[str, Callable[..., Any]] = {}


def set_up() -> None:
    """Replaces the type, and the function that makes it of a text; called before the server is made."""
    _original["register"] = replace(DuckDBEngine, "_register_builtin_udfs", _register)
    parameters._BQ_SCALAR_TO_DUCKDB["BIGNUMERIC"] = _TYPE
    parameters._SCALAR_CONVERTERS["BYTES"] = base64.b64decode
    type_map._BQ_TO_DUCKDB["BIGNUMERIC"] = _TYPE


def to_bignumeric(text: str | None) -> Decimal | None:
    """NULL for what does not fit as it is."""
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        return None
    decimals = (text or "").partition(".")[2].rstrip("0")
    return value if value.copy_abs() < _LIMIT and len(decimals) <= SCALE else None


def _register(self: Any) -> None:
    _original["register"](self)
    self._connection.remove_function("bqemu_to_bignumeric")
    self._connection.create_function("bqemu_to_bignumeric", to_bignumeric, ["VARCHAR"], _TYPE, null_handling="special")
