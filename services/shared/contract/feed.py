"""A feed: the contract for one kind of file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from services.shared.contract.formats import Format
from services.shared.contract.glob import matches
from services.shared.contract.types import TYPES, ColumnType, type_named

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,127}$")]
FeedName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=64)]
TableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w*\.[A-Za-z]\w*$")]
Type = Annotated[str, AfterValidator(lambda name: type_named(name).name)]


# YAML reads null as nothing.
MissingColumns = Annotated[
    Literal["null", "reject"], BeforeValidator(lambda value: "null" if value is None else value)
]
_READING = 1
"""Of the rules by which a file's text is read. A release that reads the same file otherwise counts it up."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class Delete(_Model):
    column: Name
    equals: str = Field(min_length=1)
    others: list[str] | None = None
    """The column's other values, where the contract names them: any further one is a reason."""


class Column(_Model):
    name: Name
    type: Type
    mode: Literal["NULLABLE", "REQUIRED"] = "NULLABLE"
    description: str = ""
    check: str | None = None
    default: str | None = None
    """Text of the value where a file has no such column; without it the value is NULL."""


class BadRows(_Model):
    at_most: int | str = 0

    @model_validator(mode="after")
    def _is_rows_or_share(self) -> BadRows:
        if isinstance(self.at_most, str) and not re.fullmatch(r"\d+(\.\d+)?%", self.at_most):
            raise ValueError("at_most is a number of rows, or a share such as 1%")
        if isinstance(self.at_most, int) and self.at_most < 0:
            raise ValueError("at_most is not negative")
        return self

    def tolerates(self, bad: int, rows: int) -> bool:
        if isinstance(self.at_most, str):
            return bad * 100 <= float(self.at_most[:-1]) * rows
        return bad <= self.at_most


class Feed(_Model):
    name: FeedName = Field(alias="feed")
    objects: str = Field(min_length=1)
    format: Format
    table: TableName
    key: list[Name] = Field(min_length=1)
    version: Name
    delete: Delete | None = None
    columns: list[Column] = Field(min_length=1)
    missing_columns: MissingColumns = "null"
    """What a NULLABLE column is that a file lacks: its default or NULL, or a fault of the file."""
    unknown_columns: Literal["reject", "ignore", "rescue", "add"] = "reject"
    bad_rows: BadRows = BadRows()

    @model_validator(mode="after")
    def _names_agree(self) -> Feed:
        names = [column.name for column in self.columns]
        folded = [name.lower() for name in names]
        if len(set(folded)) < len(folded):
            raise ValueError("two columns have one name (BigQuery ignores case)")
        missing = [name for name in [*self.key, self.version] if name not in names]
        if missing:
            raise ValueError(f"key and version must be columns: {', '.join(missing)} is not")
        if len(set(self.key)) < len(self.key) or self.version in self.key:
            raise ValueError("the key's columns must differ from each other and from the version")
        for column in self.columns:
            kind = type_named(column.type)
            if column.name in self.key and not kind.can_be_key:
                raise ValueError(f"a key cannot be {kind.name}: equality of its values is not identity")
            if column.name == self.version and not kind.can_be_version:
                fit = [one.name for one in TYPES.values() if one.can_be_version]
                raise ValueError(f"a version is one of {', '.join(sorted(fit))}; {kind.name} is not")
            if column.check is not None:
                _parse_check(column.check, self._types)
        if self.delete and self.delete.column.lower() in folded:
            raise ValueError("the delete column marks rows; it is not one of the table's columns")
        return self

    @cached_property
    def fingerprint(self) -> str:
        """12 hex digits of what decides rows and tables; neither descriptions nor the pattern of objects do."""
        decides = self.model_dump(
            mode="json", exclude_defaults=True, exclude={"objects": True, "columns": {"__all__": {"description"}}}
        )
        text = json.dumps([_READING, decides], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def required(self) -> set[str]:
        named = {column.name for column in self.columns if column.mode == "REQUIRED"}
        return named | set(self.key) | {self.version}

    @property
    def _types(self) -> Mapping[str, str]:
        return {column.name: column.type for column in self.columns}

    def type_of(self, column: str) -> ColumnType:
        """The type of one of the contract's columns."""
        (found,) = [one.type for one in self.columns if one.name == column]
        return type_named(found)

    @property
    def tie_breakers(self) -> list[str]:
        """The columns after version, generation and delete that complete the total order."""
        return [c.name for c in self.columns if c.name not in self.key and c.name != self.version]

    def check_sql(self, column: Column) -> str:
        """The column's check, parsed and written anew, so that only an expression can get through."""
        assert column.check is not None
        return _parse_check(column.check, self._types)

    def wants(self, object_name: str) -> bool:
        return matches(self.objects, object_name)


def _parse_check(text: str, columns: Mapping[str, str]) -> str:
    # The parser takes longer to import than everything else: only who has a check pays for it.
    from services.shared.contract.expression import validate

    return validate(text, columns)
