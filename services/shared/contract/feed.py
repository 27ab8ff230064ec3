"""A feed: the contract for one kind of file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.shared.contract import glob, layout, shape
from services.shared.contract.columns import Column, Columns, Delete, Model, Name, parse_check
from services.shared.contract.fault import Fault, Place, refuse
from services.shared.contract.formats import Format, Ndjson
from services.shared.contract.layout import ClusterBy, PartitionBy
from services.shared.contract.merge_every import MergeEvery
from services.shared.contract.mode import Mode, faults_of_mode
from services.shared.contract.sizes import MaxBytes
from services.shared.contract.synonyms import in_our_words
from services.shared.contract.types import ColumnType
from services.shared.contract.types.notation import same_marks
from services.shared.contract.version import InContract, Version
from services.shared.datasets import OPS, STAGING

__all__ = ["BadRows", "Column", "Delete", "Feed"]


def _object_pattern(pattern: str) -> str:
    fault = glob.fault(pattern)
    if fault:
        raise ValueError(fault)
    return pattern


def _of_main_table(name: str) -> str:
    dataset = name.partition(".")[0]
    if dataset.lower() in (STAGING, OPS):
        raise ValueError(f"dataset {dataset} is the pipeline's own, for temporary tables: use another one")
    return name


_SHARE = r"[0-9]{1,3}(\.[0-9]{1,9})?%"


def _rows_or_share(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and re.fullmatch(_SHARE, value) and _percent(value) <= 100:
        return value
    raise PydanticCustomError("rows_or_share", "neither")


def _percent(share: str) -> Decimal:
    return Decimal(share.removesuffix("%"))


FeedName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=64)]
Objects = Annotated[str, StringConstraints(min_length=1), AfterValidator(_object_pattern)]
TableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w*\.[A-Za-z]\w*$"), AfterValidator(_of_main_table)]
# YAML reads null as nothing.
MissingColumns = Annotated[
    Literal["null", "reject"],
    BeforeValidator(
        lambda value: "null" if value is None else value, json_schema_input_type=Literal["null", "reject"] | None
    ),
]
RowsOrShare = Annotated[
    int | str,
    BeforeValidator(
        _rows_or_share,
        json_schema_input_type=Annotated[int, Field(ge=0)] | Annotated[str, StringConstraints(pattern=f"^{_SHARE}$")],
    ),
]
_READING = 2
"""Of the rules by which a file's text is read. A release that reads the same file otherwise counts it up."""


class BadRows(Model):
    """How many refused rows of a file are set aside; past that the whole file is a dead letter."""

    at_most: RowsOrShare = 0

    def tolerates(self, bad: int, rows: int) -> bool:
        """Exactly: of 1,000 rows 0.1% is one row."""
        if isinstance(self.at_most, str):
            return bad * 100 <= _percent(self.at_most) * rows
        return bad <= self.at_most


class Snapshot(Model):
    at_least: RowsOrShare = "50%"
    """Keys of a file, or a share of the rows that the table has without tombstones: with fewer it is refused when it
    arrives."""

    def tolerates(self, keys: int, live: int) -> bool:
        """Exactly: of 1,000 rows 0.1% is one row."""
        if isinstance(self.at_least, str):
            return keys * 100 >= _percent(self.at_least) * live
        return keys >= self.at_least


class Feed(Model):
    """Which files, their format, their columns, and the table that they make."""

    name: FeedName = Field(alias="feed")
    objects: Objects
    """Which objects of the bucket are files of this feed: `*` and `?` stay within a folder, `**` crosses folders."""
    format: Annotated[Format, Field(discriminator="type")]
    table: TableName
    mode: Mode = "upsert"
    key: list[Name] = Field(default=[])
    """Empty where each row of each file is a row of the table."""
    version: InContract = None
    """None where the contract does not say: the newest file wins, if any does."""
    twice: Literal["keep", "reject"] = "keep"
    """What becomes of rows of one file that share a key: the newest of them wins, or all are refused."""
    snapshot: Snapshot = Snapshot()
    history: bool = False
    """Whether every version of a key is kept."""
    delete: Delete | None = None
    columns: list[Column] = Field(min_length=1)
    missing_columns: MissingColumns = "null"
    """What a NULLABLE column is that a file lacks: its default or NULL, or a fault of the file."""
    unknown_columns: Literal["reject", "ignore", "rescue", "add"] = "reject"
    """What becomes of a file's columns that the contract does not know."""
    bad_rows: BadRows = BadRows()
    merge_every: MergeEvery = 0
    """Seconds between two MERGEs into the table at least; 0: at once."""
    cluster_by: ClusterBy = None
    """The columns that the main table is clustered by, in order; without it those of the key."""
    partition_by: PartitionBy | None = None
    """The column that the main table is partitioned by. A MERGE reads the partitions that its files' keys are in where
    the column is in the key, and all of them otherwise."""
    max_bytes_billed: MaxBytes = None
    """How much BigQuery may bill for the check of one file or for one MERGE; past that it is not run, and the file is
    a dead letter."""

    @model_validator(mode="before")
    @classmethod
    def _in_our_words(cls, content: object) -> object:
        found, faults = in_our_words(content)
        refuse("Feed", faults)
        return found

    @model_validator(mode="after")
    def _is_consistent(self) -> Feed:
        for column in self.columns:
            column.read_as(self.format)
        given = {name for name, one in Feed.model_fields.items() if getattr(self, name) != one.default}
        faults = [*faults_of_mode(self, given), *Columns(self.columns, self.key, self._version, self.delete).faults()]
        lines = self._faults_of_lines() if isinstance(self.format, Ndjson) else ()
        refuse("Feed", [*self._faults_of_format(), *faults, *shape.faults(self), *layout.faults(self), *lines])
        return self

    def _faults_of_format(self) -> Iterator[Fault]:
        if self.format.group is not None and self.format.group == (self.format.decimal or "."):
            yield Fault(("format", "group"), same_marks(self.format.group))

    def _faults_of_lines(self) -> Iterator[Fault]:
        if self.unknown_columns == "add":
            what = "add needs a format whose files begin with their columns: write rescue, reject or ignore"
            yield Fault(("unknown_columns",), what)
        places: dict[str | int, Place] = {one.in_file: ("columns", n, "from") for n, one in enumerate(self.columns)}
        if self.delete:
            places[self.delete.in_file] = ("delete", "from")
        for name, place in places.items():
            if isinstance(name, str) and re.search(r'["\\\x00-\x1f\U00010000-\U0010ffff]', name):
                what = (
                    "cannot be a name in NDJSON: it has a quote, a backslash, a control character or one past U+FFFF"
                )
                yield Fault(place, f"{name!r} is {what}")

    @cached_property
    def fingerprint(self) -> str:
        """12 hex digits of what decides rows and tables; descriptions, the pattern of objects, the pace of merges and
        what may be spent do not."""
        decides = self.model_dump(
            mode="json",
            exclude_defaults=True,
            exclude={
                **dict.fromkeys(("objects", "merge_every", "max_bytes_billed"), True),
                "columns": {"__all__": {"description"}},
            },
        )
        text = json.dumps([_READING, decides], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def required(self) -> set[str]:
        named = {column.name for column in self.columns if column.mode == "REQUIRED"}
        return named | set(self.of_every_row)

    @property
    def of_every_row(self) -> tuple[str, ...]:
        """The columns that a delete must have too: the key and, where columns are it, the version."""
        return (*self.key, *self.versions)

    @property
    def versions(self) -> tuple[str, ...]:
        """The columns that say which of two rows is newer, the first that differs; none where the newest file wins."""
        return self._version.names

    @property
    def _version(self) -> Version:
        return self.version or Version()

    def ahead_limit(self, column: Column) -> str | None:
        """SQL of the last value that is not too far ahead of `@created`; None where none is."""
        found = next((one.limit for one in self._version.columns if one.name == column.name), None)
        return column.kind.at(found) if found else None

    @property
    def _types(self) -> Mapping[str, str]:
        return {column.name: column.kind.name for column in self.columns}

    # Asked for with each column of a statement: of a thousand columns, a million times.
    @cached_property
    def names_in_file(self) -> Mapping[str, str]:
        """By its name in a file's header, what each column of the contract is called that is read by name, the delete
        column last."""
        names = {column.in_file: column.name for column in self.columns}
        if self.delete:
            names[self.delete.in_file] = self.delete.column
        by_place = set(self.places.values())
        return {in_file: name for in_file, name in names.items() if isinstance(in_file, str) and name not in by_place}

    @property
    def places(self) -> Mapping[int, str]:
        """By its place in a record, from 1, what each column of the contract is called that is read by place."""
        return shape.places(self)

    @cached_property
    def reads_json(self) -> Mapping[str, str]:
        """Columns whose text is JSON where a file has such a value: `any` value, or an `array` only."""
        arrays = {column.name: "array" for column in self.columns if column.mode == "REPEATED" and not column.split}
        return {column.name: "any" for column in self.columns if column.type == "JSON"} | arrays

    def type_of(self, column: str) -> ColumnType:
        """The type of one of the contract's columns."""
        (found,) = [one.kind for one in self.columns if one.name == column]
        return found

    @property
    def tie_breakers(self) -> list[str]:
        """The columns after version, generation and delete that complete the total order."""
        return [c.name for c in self.columns if c.name not in self.of_every_row]

    def check_sql(self, column: Column) -> str:
        """The column's check, parsed and written anew, so that only an expression can get through."""
        assert column.check is not None
        return parse_check(column.check, self._types)

    def wants(self, object_name: str) -> bool:
        return glob.matches(self.objects, object_name)
