"""How a type reads texts in SQL, by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.shared.contract.types import ColumnType


def statement(kind: ColumnType, source: str) -> str:
    """Of each text its value, and its reasons, as a file's rows are checked."""
    parts, before = [], source
    for number, step in enumerate(kind.steps("_text")):
        columns = ", ".join(f"{sql} AS {name}" for name, sql in step.items())
        parts.append(f"_step_{number} AS (SELECT *, {columns} FROM {before})")
        before = f"_step_{number}"
    parts.append(f"_typed AS (SELECT *, {kind.cast('_text')} AS _value FROM {before})")
    reasons = ", ".join(f"IF({one.condition}, '{one.reason}', '')" for one in kind.faults("_text", "_value"))
    return f"WITH {', '.join(parts)} SELECT _text, _value, CONCAT({reasons}, '') AS _reason FROM _typed"


def answers(rows: Iterable[Any]) -> dict[str, tuple[Any, str]]:
    """Of each text its value and its reasons, of what the statement gives."""
    return {row["_text"]: (row["_value"], row["_reason"]) for row in rows}
