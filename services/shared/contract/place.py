"""Where in a file a column is, as a contract says it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from services.shared.contract.formats import MAX_COLUMNS


def _from(value: object) -> str | int:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        if 1 <= value <= MAX_COLUMNS:
            return value
        raise PydanticCustomError("place", "none")
    raise PydanticCustomError("string_type", "neither")


Place = Annotated[int, Field(ge=1, le=MAX_COLUMNS)]
From = Annotated[str | int, PlainValidator(_from, json_schema_input_type=str | Place)]
"""A name in the files' header, any text, or a place in their records, from 1."""
