"""Hold a file's header against the contract: which columns the file has, and what becomes of the unknown ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from services.ingest.formats import format_of
from services.ingest.formats.raw_field import RawField
from services.ingest.near_miss import closest, respelt
from services.shared.contract.columns import Column, Name
from services.shared.contract.encodings import UTF_8
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError

_MAX_COLUMNS = 10_000  # of a BigQuery table
_MAX_NAMED = 10
_COLUMN_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class Layout:
    columns: tuple[str, ...]
    """Raw column names in the file's order; an unknown column is `_unknown_<n>`, unless the table gains it."""
    has_delete_column: bool
    added: tuple[str, ...] = ()
    """The unknown columns that the table gains, sorted."""
    rescued: tuple[tuple[str, str], ...] = ()
    """Of each unknown column that is kept in `_rescued`, the name in the file and the raw name; sorted."""
    encoding: str = UTF_8
    """The contract's, where that leaves the order of bytes to the file with the order that the file has."""
    fields: Mapping[str, RawField] = field(default_factory=dict, hash=False)
    """By raw column name, where the file has types."""


def match_header(header: Sequence[str], feed: Feed) -> Layout:
    """Raises PermanentError("wrong_header"): which columns are missing, unknown or there twice, with near misses."""
    if len(header) > _MAX_COLUMNS:
        raise PermanentError("wrong_header", f"{len(header)} columns; a BigQuery table has at most {_MAX_COLUMNS}")
    known = feed.names_in_file
    unknown = [name for name in header if name not in known]
    faults = "; ".join(_faults(header, unknown, feed))
    if faults:
        hints = "; ".join(format_of(feed).hints(header, known.keys(), feed))
        where = f"feed {feed.name} ({hints})" if hints else f"feed {feed.name}"
        raise PermanentError("wrong_header", f"the header does not fit {where}: {faults}")
    return _layout(header, set(unknown), feed)


def _layout(header: Sequence[str], unknown: set[str], feed: Feed) -> Layout:
    gains = feed.unknown_columns == "add"
    unread = (lambda _, name: name) if gains else (lambda n, _: f"_unknown_{n}")
    columns = [feed.names_in_file.get(name) or unread(n, name) for n, name in enumerate(header)]
    return Layout(
        tuple(columns),
        has_delete_column=feed.delete is not None and feed.delete.in_file in header,
        added=tuple(sorted(unknown)) if gains else (),
        rescued=_aside(header, columns, unknown) if feed.unknown_columns == "rescue" else (),
    )


def _aside(header: Sequence[str], columns: Sequence[str], unknown: set[str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pair for pair in zip(header, columns, strict=True) if pair[0] in unknown))


def _faults(header: Sequence[str], unknown: Sequence[str], feed: Feed) -> Iterator[str]:
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        yield "twice: " + _named(twice)
    absent = [column for column in feed.columns if column.in_file not in header]
    needed = [column for column in absent if column.name in feed.required or feed.missing_columns == "reject"]
    if needed:
        yield "missing: " + ", ".join(_missing(column, unknown) for column in needed)
    optional = [column.in_file for column in absent if column not in needed]
    if feed.delete and feed.delete.in_file not in header:
        optional.append(feed.delete.in_file)
    yield from _unknown(unknown, optional, refuses_all=bool(needed) or feed.unknown_columns == "reject")
    if feed.unknown_columns == "add":
        yield from _cannot_be_added(header, unknown)
    if feed.unknown_columns in ("add", "rescue"):
        yield from _taken(unknown, feed)


def _missing(column: Column, unknown: Sequence[str]) -> str:
    near = closest(column.in_file, unknown)
    name = column.name if column.from_ is None else _quoted(column.from_)
    return name if near is None else f"{name} (is {_quoted(near)} meant?)"


def _unknown(unknown: Sequence[str], optional: Sequence[str], refuses_all: bool) -> Iterator[str]:
    """`optional`: the contract's names that the file lacks and may lack."""
    # Amount for amount would be NULL without a word, and Op for op would make updates of deletes. A name that is only
    # like another, as name2 is like name, is a column of its own to a feed that welcomes unknown ones.
    meant = respelt(unknown, optional)
    refused = [*meant, *(name for name in unknown if refuses_all and name not in meant)]
    if refused:
        yield "unknown: " + _named(refused, lambda name: meant.get(name) or closest(name, optional))


def _cannot_be_added(header: Sequence[str], unknown: Sequence[str]) -> Iterator[str]:
    unfit = [name for name in unknown if not _is_column_name(name)]
    if unfit:
        yield f"a column's name is a letter, then letters, digits and _; these are not: {_named(unfit)}"
    spellings = Counter(name.lower() for name in set(header))
    alike = [name for name in unknown if spellings[name.lower()] > 1]
    if alike:
        yield f"one column to BigQuery, which ignores case: {_named(alike)}"


def _taken(unknown: Sequence[str], feed: Feed) -> Iterator[str]:
    # Kept beside the contract's column it would be another one of that name.
    renamed = {name.lower(): in_file for in_file, name in feed.names_in_file.items() if name != in_file}
    for name in unknown:
        if name.lower() in renamed:
            yield f"unknown: {_quoted(name)}, a name that the contract has for {_quoted(renamed[name.lower()])}"


def _is_column_name(name: str) -> bool:
    try:
        _COLUMN_NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def _named(names: Sequence[str], meant: Callable[[str], str | None] = lambda _: None) -> str:
    listed = [(_quoted(name), meant(name)) for name in names[:_MAX_NAMED]]
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(f"{name} (is {near} meant?)" if near else name for name, near in listed) + more


def _quoted(name: str) -> str:
    return repr(name[:60])
