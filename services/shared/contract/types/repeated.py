"""A column of `mode: REPEATED`: an array, whose elements are read by the column's type."""

# ruff: noqa: S608 - made of names that were validated, and of what the types make

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.shared.contract.fault import Place
from services.shared.contract.types import json_text
from services.shared.contract.types.base import ColumnType, Refusal
from services.shared.contract.types.structured import Json
from services.shared.contract.types.structured import parsed as parsed_json
from services.shared.sql import identifier

_ELEMENT, _VALUE = "`_element`", "`_read`"


@dataclass(frozen=True)
class Repeated(ColumnType):
    """No table has an array that is NULL, or an element that is
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#array_nulls): an absent text is the empty
    array, and null among the elements is refused.
    """

    element: ColumnType
    split: str | None = None
    """What stands between the texts of elements; without it the text is a JSON array."""

    can_be_key = False
    can_cluster = False
    pattern = "(?s:.*)"

    @property
    def name(self) -> str:  # type: ignore[override]  # by its elements' type
        return f"ARRAY<{self.element.name}>"

    @property
    def texts(self) -> str:  # type: ignore[override]
        if self.split is None:
            return f"a JSON array without null, each element: {self.element.taken}"
        return f"texts with {self.split!r} between them, each: {self.element.taken}"

    @property
    def takes(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*self.element.takes, "split")

    def option_faults(self) -> Iterator[tuple[Place, str]]:
        return self.element.option_faults()

    def parameters(self) -> Iterator[tuple[str, tuple[str, Any]]]:
        return self.element.parameters()

    def parse(self, text: str) -> list[Any]:
        if self.split is not None:
            return [self.element.parse(one) for one in text.split(self.split)]
        if isinstance(self.element, Json):
            return _list(json_text.read(text))
        return [self.element.parse(one) for one in _list(json_text.read_texts(text))]

    def steps(self, text: str) -> Sequence[Mapping[str, str]]:
        """What the text is as JSON, then the elements' texts; NULL where it is no array, or has none."""
        parsed, written, elements = _beside(text, "parsed"), _beside(text, "written"), _beside(text, "elements")
        if self.split is not None:
            return ({elements: f"SPLIT({text}, '{self.split}')"},)
        each = f"UNNEST(JSON_QUERY_ARRAY({parsed}, '$')) AS _json_element WITH OFFSET AS _offset ORDER BY _offset"
        if isinstance(self.element, Json):
            array = f"JSON_QUERY_ARRAY(TO_JSON_STRING({parsed}), '$')"
            return (
                {parsed: parsed_json(text, "exact")},
                {elements: f"IF(JSON_TYPE({parsed}) = 'array', {array}, NULL)"},
            )
        # A number from the text, which has it as it was written; a text from what escapes stand for.
        number = f"{written}[SAFE_ORDINAL(_offset + 1)]"
        one = f"IF(JSON_TYPE(_json_element) = 'number', {number}, JSON_VALUE(_json_element, '$'))"
        return (
            {
                parsed: parsed_json(text, "round"),
                written: f"SAFE.JSON_QUERY_ARRAY({text}, '$')",
            },
            {elements: f"IF(JSON_TYPE({parsed}) = 'array', ARRAY(SELECT {one} FROM {each}), NULL)"},
        )

    def cast(self, text: str) -> str:
        """Without the elements that are refused, as the row is: no table takes NULL for one."""
        return f"ARRAY(SELECT {_VALUE} FROM {self._read(text)} WHERE {_VALUE} IS NOT NULL ORDER BY _place)"

    def faults(self, text: str, value: str) -> Iterator[Refusal]:
        elements, parsed = _beside(text, "elements"), _beside(text, "parsed")
        if self.split is None:
            rounded = f"JSON_TYPE({parsed_json(text, 'round')}) = 'array'"
            is_json = isinstance(self.element, Json)
            found = f"COALESCE({rounded}, FALSE)" if is_json else f"{elements} IS NOT NULL"
            yield Refusal("not_an_array", f"{text} IS NOT NULL AND NOT ({found})")
            if is_json:
                yield Refusal("inexact_number", f"{elements} IS NULL AND {rounded}")
                return
            for reason, kinds in (("null_element", "'null'"), ("nested_value", "'array', 'object'")):
                each = f"UNNEST(JSON_QUERY_ARRAY({parsed}, '$')) AS _json_element"
                yield Refusal(reason, f"EXISTS(SELECT 1 FROM {each} WHERE JSON_TYPE(_json_element) IN ({kinds}))")
        for fault in self.element.faults(_ELEMENT, _VALUE):
            yield Refusal(fault.reason, f"EXISTS(SELECT 1 FROM {self._read(text)} WHERE {fault.condition})")

    @property
    def sql(self) -> str:
        return f"ARRAY<{self.element.sql}>"

    @property
    def nothing(self) -> str:
        return f"CAST([] AS {self.sql})"

    def comparable(self, column: str) -> str:
        """By its text: arrays have no order
        (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#orderable_data_types)."""
        return f"TO_JSON_STRING({column})"

    def _read(self, text: str) -> str:
        """SQL of rows: an element's place, text and value."""
        elements = f"UNNEST({_beside(text, 'elements')}) AS {_ELEMENT} WITH OFFSET AS _offset"
        source = f"(SELECT {_ELEMENT}, _offset AS _place FROM {elements})"
        for step in self.element.steps(_ELEMENT):
            source = f"(SELECT *, {', '.join(f'{sql} AS {name}' for name, sql in step.items())} FROM {source})"
        return f"(SELECT *, {self.element.cast(_ELEMENT)} AS {_VALUE} FROM {source})"


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("the text is not a JSON array")
    return value


def _beside(text: str, what: str) -> str:
    """The name of a column that is made of a text."""
    return identifier(f"_{what}{text.strip('`')}")
