"""What a column's type is: which texts it takes, their value, and what the warehouse and people are shown of it.

A type begins at text: a format turns a file into the text of each column, and a type turns a text into a value or a
reason why it is none.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from services.shared.contract.fault import Place
from services.shared.sql import identifier


@dataclass(frozen=True)
class Refusal:
    """Why a text is no value of a type: a reason of `ROW_REASONS`, and an SQL condition on text and value."""

    reason: str
    condition: str


class ColumnType(ABC):
    """One type, in Python and in SQL. Both readings of a text must agree: tests hold them together.

    SQL is given and returned as text: `text` is the name of a STRING column, `value` of one of this type.
    """

    name: ClassVar[str]
    """As a BigQuery schema has it (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types)."""
    aliases: ClassVar[tuple[str, ...]] = ()
    """BigQuery's other names for it, those that `bq show --schema` prints among them
    (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema)."""
    texts: ClassVar[str]
    """The texts it takes, in a sentence for the documentation."""
    pattern: ClassVar[str]
    """Of a whole text. Read by RE2 and by Python's `re`: no look-around, no class that depends on Unicode."""
    can_be_key: ClassVar[bool] = True
    can_be_version: ClassVar[bool] = False
    can_cluster: ClassVar[bool] = True
    """https://cloud.google.com/bigquery/docs/clustered-tables#cluster_column_types"""
    takes: ClassVar[tuple[str, ...]] = ()
    """Names of the options that a contract may give to a column of this type."""

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """The type of a column that has these; those that it does not take are left out."""
        return self

    def option_faults(self) -> Iterator[tuple[Place, str]]:
        """What is wrong with its options: place, which begins with the option's name, and sentence."""
        return iter(())

    @property
    def taken(self) -> str:
        """The texts it takes with its options."""
        return self.texts

    def parameters(self) -> Iterator[tuple[str, tuple[str, Any]]]:
        """Of its SQL: name, type and value."""
        return iter(())

    def steps(self, text: str) -> Sequence[Mapping[str, str]]:
        """SQL of what `cast` and `faults` read beside the text, by name. Each step reads those before it."""
        return ()

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The value of a text, as the client library returns it. Raises ValueError."""

    @abstractmethod
    def cast(self, text: str) -> str:
        """SQL of the value; NULL for a text that is none, never an error."""

    @abstractmethod
    def faults(self, text: str, value: str) -> Iterator[Refusal]:
        """Why a text is refused. For each text that `cast` makes NULL of, and no other, one condition holds."""

    def accepts(self, text: str) -> bool:
        """Whether a text is a value of this type."""
        try:
            self.parse(text)
        except ValueError:
            return False
        return True

    def is_guessed_from(self, text: str) -> bool:
        """Whether a text that it accepts is a hint that a column has this type."""
        return True

    @property
    def sql(self) -> str:
        """The type's name in SQL."""
        return self.name

    @property
    def nothing(self) -> str:
        """SQL of a column that has no value."""
        return "NULL"

    def comparable(self, column: str) -> str:
        """SQL to order values by: the column itself where BigQuery orders it."""
        return column

    def at(self, instant: str) -> str | None:
        """SQL of this type's value at a TIMESTAMP; None where a version of this type is no point in time."""
        return None

    def literal(self, value: Any) -> str | None:
        """SQL of a value; None where it does not serve to rule out blocks of a table."""
        return None

    def bounds(self, low: Any, high: Any) -> list[tuple[str, str]]:
        """Operators and literals that hold for each value from `low` to `high`; none where there is no literal."""
        least, greatest = self.literal(low), self.literal(high)
        return [(">=", least), ("<=", greatest)] if least and greatest else []

    def matches(self, text: str) -> str:
        """SQL: whether a text as a whole has the pattern."""
        return f"REGEXP_CONTAINS({text}, r'^(?:{self.pattern})$')"

    def matched(self, text: str) -> str:
        """The text, if it has the pattern. Raises ValueError."""
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError(f"{text!r} is not the text of a {self.name}")
        return text


class Whole(ColumnType):
    """A type that refuses texts for one reason only."""

    malformed: ClassVar[str]

    def faults(self, text: str, value: str) -> Iterator[Refusal]:
        yield Refusal(self.malformed, f"{text} IS NOT NULL AND {value} IS NULL")


def beside(text: str, what: str) -> str:
    """The name of a column that is made of a text."""
    return identifier(f"_{what}{text.strip('`')}")
