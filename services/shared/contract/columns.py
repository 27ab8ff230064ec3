"""The columns of a contract, and what key, version and delete may be of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, StringConstraints

from services.shared.contract.fault import Fault, Place
from services.shared.contract.formats import Decimal, Group, Nulls, Texts
from services.shared.contract.limits import broken_limits, limit_faults
from services.shared.contract.meant import meant
from services.shared.contract.place import From
from services.shared.contract.types import TYPES, ColumnType, type_named
from services.shared.contract.types.repeated import Repeated
from services.shared.contract.version import DEFAULT_AHEAD, Version
from services.shared.contract.words import Words

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,127}$")]
Type = Annotated[str, AfterValidator(lambda name: type_named(name).name)]
Text = Annotated[str, StringConstraints(min_length=1)]
LocalRule = Literal["reject", "earlier", "later"]

Separator = Annotated[str, StringConstraints(pattern=r"^[\t\x20-\x26\x28-\x5b\x5d-\x7e]{1,10}$")]
"""ASCII that needs no escape in SQL."""

Formats = Annotated[
    tuple[Text, ...],
    Field(min_length=1),
    BeforeValidator(
        lambda value: [value] if isinstance(value, str) and value else value,
        json_schema_input_type=Text | Annotated[tuple[Text, ...], Field(min_length=1)],
    ),
]
"""One alone is a list of one."""


class Model(BaseModel):
    """A part of a contract, as YAML has it."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class Column(Model):
    name: Name
    from_: From | None = Field(default=None, alias="from")
    """Its name in the files' header, any text, where that is another one; or its place in their records, from 1."""
    type: Type
    mode: Literal["NULLABLE", "REQUIRED", "REPEATED"] = "NULLABLE"
    description: str = ""
    check: str | None = None
    default: str | None = None
    """Text of the value where a file has no such column; without it the value is NULL. An empty one, of a STRING, is
    also what an empty field means, which is NULL otherwise and cannot be part of a key."""
    nulls: Nulls | None = None
    """Instead of the format's."""
    trim: Annotated[bool, Field(strict=True)] | None = None
    """Instead of the format's."""
    format: Formats | None = None
    """Of a moment's texts: `iso`, `epoch_s`, `epoch_ms`, `epoch_us`, or a pattern of GoogleSQL's format elements.
    A text is read by the first that fits it."""
    zone: Text | None = None
    """IANA name, for a moment's texts that have no offset."""
    split: Separator | None = None
    """Of a REPEATED column: what stands between the texts of its elements. Without it the text is a JSON array."""
    local_twice: LocalRule | None = None
    """Of such a text that clocks in the zone showed twice: which of the two it is."""
    local_never: LocalRule | None = None
    """Of one that they never showed, put forward over it: by the offset after it, or, later, by the one before."""
    words: Words | None = None
    """Texts of a BOOL, and what each means."""
    decimal: Decimal | None = None
    """With `group`, instead of the format's two."""
    group: Group | None = None
    max_length: Annotated[int, Field(gt=0, strict=True)] | None = None
    """In characters."""
    one_of: Annotated[list[Text], Field(min_length=1)] | None = None
    """Texts of the values that it may have."""
    pattern: Text | None = None
    """Of a whole text, as RE2 and Python's `re` both read it."""

    _of_format: dict[str, Any] = PrivateAttr(default_factory=dict)

    def read_as(self, texts: Texts) -> None:
        """Take from the feed's format what the column does not say itself."""
        self._of_format = {"decimal": texts.decimal, "group": texts.group}

    @cached_property
    def kind(self) -> ColumnType:
        """Its type with the options that the contract gives it."""
        # Marks that belong together: a column's decimal point would clash with points that part groups in the file.
        is_own = self.decimal is not None or self.group is not None
        inherited = {name: value for name, value in self._of_format.items() if value is not None and not is_own}
        one = type_named(self.type).with_options({**inherited, **self.options})
        return Repeated(one, self.split) if self.mode == "REPEATED" else one

    @property
    def options(self) -> dict[str, Any]:
        """Those of its type that the contract gives, by name."""
        given = {name: getattr(self, name) for one in TYPES.values() for name in one.takes} | {"split": self.split}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def in_file(self) -> str | int:
        """Its name in a file's header, or its place."""
        return self.name if self.from_ is None else self.from_


class Delete(Model):
    column: Name
    from_: From | None = Field(default=None, alias="from")
    equals: Text
    others: list[str] | None = None
    """The column's other values, where the contract names them: any further one is a reason, also an empty one."""

    @property
    def in_file(self) -> str | int:
        """The column's name in a file's header, or its place."""
        return self.column if self.from_ is None else self.from_


@dataclass(frozen=True)
class Columns:
    """What is judged together."""

    columns: Sequence[Column]
    key: Sequence[str]
    version: Version
    delete: Delete | None

    def faults(self) -> Iterator[Fault]:
        """Whatever these parts, each right by itself, cannot be to each other."""
        yield from self._twice()
        yield from self._unknown()
        yield from self._roles()
        for number, column in enumerate(self.columns):
            yield from self._of_type(("columns", number), column)
            options = list(_of_options(("columns", number), column))
            yield from options
            if not options:
                yield from self._of_default(("columns", number, "default"), column)
            yield from self._of_check(("columns", number, "check"), column)
        if self.delete:
            yield from self._of_delete(self.delete)

    def _twice(self) -> Iterator[Fault]:
        seen: set[str] = set()
        for number, column in enumerate(self.columns):
            if column.name.lower() in seen:
                yield Fault(("columns", number, "name"), f"{column.name} is listed twice (BigQuery ignores case)")
            seen.add(column.name.lower())
        yield from self._read_twice()

    def _read_twice(self) -> Iterator[Fault]:
        readers: dict[str | int, str] = {}
        for number, column in enumerate(self.columns):
            reader = readers.setdefault(column.in_file, column.name)
            if reader.lower() != column.name.lower():
                yield Fault(("columns", number, "from"), f"{column.in_file!r} is read into {reader}")
        if self.delete:
            reader = readers.get(self.delete.in_file, self.delete.column)
            if reader.lower() != self.delete.column.lower():
                yield Fault(("delete", "from"), f"{self.delete.in_file!r} is read into {reader}")

    def _unknown(self) -> Iterator[Fault]:
        for place, name in self._named():
            if name not in self.types:
                yield Fault(place, f"{name} is not one of the columns{meant(name, self.types)}")

    def _roles(self) -> Iterator[Fault]:
        for number, name in enumerate(self.key):
            if name in self.key[:number]:
                yield Fault(("key", number), f"{name} is listed twice")
        for one in self.version.columns:
            if one.name in self.key:
                yield Fault(one.place, f"{one.name} is in the key, which is the same for all versions of a row")

    def _named(self) -> Iterator[tuple[Place, str]]:
        yield from ((("key", number), name) for number, name in enumerate(self.key))
        yield from ((one.place, one.name) for one in self.version.columns)

    def _of_type(self, place: Place, column: Column) -> Iterator[Fault]:
        kind = type_named(column.type)
        if column.mode == "REPEATED" and column.name in (*self.key, *self.version.names):
            yield Fault((*place, "mode"), "an array can be neither in a key nor a version: arrays have no order")
        if column.name in self.key and not kind.can_be_key:
            yield Fault((*place, "type"), f"a key cannot be {kind.name}: equal values may differ")
        if column.name in self.version.names and not kind.can_be_version:
            fit = sorted(one.name for one in TYPES.values() if one.can_be_version)
            yield Fault((*place, "type"), f"a version is one of {', '.join(fit)}; {kind.name} is not")
        for one in self.version.columns:
            is_moment = kind.at("@created") is not None
            if one.name == column.name and one.ahead != DEFAULT_AHEAD and kind.can_be_version and not is_moment:
                yield Fault(one.place, f"ahead is for a version that is a point in time; {column.name} is {kind.name}")

    def _of_default(self, place: Place, column: Column) -> Iterator[Fault]:
        if column.default is None:
            return
        if not column.default:
            if column.type != "STRING" or column.mode == "REPEATED":
                yield Fault(place, f"an empty text is for STRING; {column.name} is {column.kind.name}")
            return
        if column.mode == "REQUIRED" or column.name in (*self.key, *self.version.names):
            why = "which is in the key, the version, or REQUIRED: leave the default out"
            yield Fault(place, f"no file may lack {column.name}, {why}")
        if not column.kind.accepts(column.default):
            yield Fault(place, f"{column.default!r} is not the text of a {column.type}: {column.kind.taken}")
            return
        yield from (Fault(place, f"{column.default!r} {what}") for what in broken_limits(column, column.default))

    def _of_check(self, place: Place, column: Column) -> Iterator[Fault]:
        if column.check is not None:
            try:
                parse_check(column.check, self.types)
            except ValueError as error:
                yield Fault(place, str(error))

    def _of_delete(self, delete: Delete) -> Iterator[Fault]:
        if delete.column.lower() in {column.name.lower() for column in self.columns}:
            yield Fault(("delete", "column"), "the delete column marks rows: it cannot be one of the table's columns")
        for number, text in enumerate(delete.others or ()):
            place = ("delete", "others", number)
            if text == delete.equals:
                yield Fault(place, f"{text!r} marks a delete: it cannot be among the others")
            if text in (delete.others or [])[:number]:
                yield Fault(place, f"{text!r} is listed twice")

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Name to type."""
        return {column.name: column.kind.name for column in self.columns}


def _of_options(place: Place, column: Column) -> Iterator[Fault]:
    """What its type does not take, or cannot do."""
    for name in column.options:
        if name not in column.kind.takes:
            fit = ", ".join(sorted(one.name for one in TYPES.values() if name in one.takes)) or "mode: REPEATED"
            yield Fault((*place, name), f"{name} is for {fit}; {column.type} has none")
    faults = (*column.kind.option_faults(), *limit_faults(column))
    # What the format says is the format's fault.
    yield from (Fault((*place, *inner), what) for inner, what in faults if getattr(column, str(inner[0])) is not None)


def parse_check(text: str, columns: Mapping[str, str]) -> str:
    """The check, written again from its parsed form. Raises ValueError."""
    # The parser takes longer to import than everything else: only who has a check pays for it.
    from services.shared.contract.expression import validate

    return validate(text, columns)
