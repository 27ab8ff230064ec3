"""JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.shared.contract.types import json_text
from services.shared.contract.types.base import ColumnType, Refusal


def parsed(text: str, wide_numbers: str) -> str:
    """SQL of a text as JSON, NULL where it is none: also with a NUL, which PARSE_JSON takes for the text's end, so
    that what comes after it would be lost."""
    whole = f"IF(REGEXP_CONTAINS({text}, r'\\x00'), NULL, {text})"
    return f"SAFE.PARSE_JSON({whole}, wide_number_mode => '{wide_numbers}')"


class Json(ColumnType):
    """A number that would be rounded is refused: JSON has whole numbers of 64 bits, and others as FLOAT64 does
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#parse_json)."""

    name = "JSON"
    texts = "any JSON value whose numbers fit exactly in 64 bits; of two equal names in an object the first counts"
    pattern = "(?s:.*)"
    can_be_key = False
    can_cluster = False

    def is_guessed_from(self, text: str) -> bool:
        """An object or a list: every number is JSON too."""
        return text.lstrip(" \t\r\n")[:1] in ("{", "[")

    def parse(self, text: str) -> Any:
        return json_text.read(text)

    def cast(self, text: str) -> str:
        return parsed(text, "exact")

    def faults(self, text: str, value: str) -> Iterator[Refusal]:
        rounded = parsed(text, "round")
        yield Refusal("not_json_value", f"{text} IS NOT NULL AND {value} IS NULL AND {rounded} IS NULL")
        yield Refusal("inexact_number", f"{value} IS NULL AND {rounded} IS NOT NULL")

    def comparable(self, column: str) -> str:
        """By its text: JSON has no order
        (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#orderable_data_types); that of
        NULL is the word null."""
        return f"IF({column} IS NULL, NULL, TO_JSON_STRING({column}))"
