"""The fields of a file that says its own schema, as the raw table has them once it is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.shared.errors import PermanentError

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

_UNFIT = re.compile(r'[!"$()*,/;?@\[\\\]^`{}~\x00-\x1f]')
"""Characters that no column's name has, dots aside, which part the names of a path
(https://cloud.google.com/bigquery/docs/schemas#flexible-column-names)."""
_NAMES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}


@dataclass(frozen=True)
class RawField:
    """One of them: `path` is its name for the contract, a name or names with dots between them."""

    path: str
    names: tuple[str, ...]
    """In the raw table: the column's, and those within it."""
    schema: SchemaField

    @property
    def value(self) -> str:
        """SQL of it, over the raw table as `_file`. Raises PermanentError for a name that cannot be written in SQL."""
        return ".".join(["_file", *map(quoted, self.names)])

    @property
    def kind(self) -> str:
        """BigQuery's type, by the name that its schemas have, and ARRAY of what is there many times."""
        return "ARRAY" if self.schema.mode == "REPEATED" else kind_of(self.schema)


def kind_of(schema: SchemaField) -> str:
    return _NAMES.get(schema.field_type, schema.field_type)


def fields_of(schema: Sequence[SchemaField], known: Mapping[str, object]) -> list[RawField]:
    """Those that the contract knows by a path, and all others, in the file's order.

    A struct is one field, unless the contract names something within it: then each thing within is one.
    """
    return list(_fields(schema, (), known, _as_loaded(known), only_known=False))


def _as_loaded(known: Mapping[str, object]) -> dict[str, str]:
    """The contract's names by those that the raw table may have: BigQuery writes _ for what no name can have, and for
    a dot that is no path's."""
    flat = {loaded_name(name): name for name in known}
    return {**flat, **{_UNFIT.sub("_", name): name for name in known}}


def loaded_name(name: str) -> str:
    """A field's name in the raw table, of that in the file."""
    return _UNFIT.sub("_", name).replace(".", "_")


def _fields(
    schema: Sequence[SchemaField],
    above: tuple[str, ...],
    known: Mapping[str, object],
    loaded: Mapping[str, str],
    only_known: bool,
) -> Iterator[RawField]:
    for one in schema:
        names = (*above, one.name)
        path = ".".join(names)
        named = path if path in known else loaded.get(path)
        is_struct = kind_of(one) == "RECORD" and one.mode != "REPEATED"
        has_named = is_struct and any(name.startswith(f"{path}.") for name in loaded)
        if named is not None or not (has_named or only_known):
            yield RawField(path if named is None else named, names, one)
        if has_named:
            yield from _fields(one.fields, names, known, loaded, only_known or named is not None)


def quoted(name: str) -> str:
    """A field's name in SQL. Raises PermanentError for what could leave the quotes, which BigQuery has in none."""
    if unfit := _UNFIT.search(name) or re.search("[.']", name):
        raise PermanentError(
            "wrong_header", f"the file has a field whose name dropmerge cannot read: it has {unfit[0]!r}"
        )
    return f"`{name}`"
