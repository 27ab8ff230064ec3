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
from services.shared.contract.formats import MAX_COLUMNS
from services.shared.errors import PermanentError

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
    ignored: tuple[str, ...] = ()
    """Names in the file of the unknown columns that are left out, in its order."""
    encoding: str = UTF_8
    """The contract's, where that leaves the order of bytes to the file with the order that the file has."""
    fields: Mapping[str, RawField] = field(default_factory=dict, hash=False)
    """By raw column name, where the file has types."""


@dataclass(frozen=True)
class _Read:
    """What the contract has for a header."""

    columns: tuple[str | None, ...]
    """Of each name in the file, the column that it is read into; None of an unknown one."""
    named: tuple[str, ...]
    """The names that are not read by place."""
    unknown: tuple[str, ...]
    """Of those, the ones that the contract does not know."""
    hidden: tuple[str, ...]
    """The names that the contract knows and that are read by place instead, into another column."""


def match_header(header: Sequence[str], feed: Feed) -> Layout:
    """Raises PermanentError("wrong_header"): which columns are missing, unknown or there twice, with near misses."""
    if len(header) > MAX_COLUMNS:
        raise PermanentError("wrong_header", f"{len(header)} columns; a file may have at most {MAX_COLUMNS}")
    read = _read(header, feed)
    faults = "; ".join(_faults(read, feed))
    if faults:
        hints = "; ".join(format_of(feed).hints(header, feed.names_in_file.keys(), feed))
        where = f"feed {feed.name} ({hints})" if hints else f"feed {feed.name}"
        raise PermanentError("wrong_header", f"the header does not fit {where}: {faults}")
    return _layout(header, read, feed)


def _read(header: Sequence[str], feed: Feed) -> _Read:
    by_name, by_place = feed.names_in_file, feed.places
    columns = tuple(by_place.get(place) or by_name.get(name) for place, name in enumerate(header, 1))
    named = tuple(name for place, name in enumerate(header, 1) if place not in by_place)
    return _Read(
        columns,
        named,
        unknown=tuple(name for name in named if name not in by_name),
        hidden=tuple(name for name in by_name if name in header and name not in named),
    )


def _layout(header: Sequence[str], read: _Read, feed: Feed) -> Layout:
    gains = feed.unknown_columns == "add"
    unread = (lambda _, name: name) if gains else (lambda n, _: f"_unknown_{n}")
    columns = [column or unread(n, header[n]) for n, column in enumerate(read.columns)]
    return Layout(
        tuple(columns),
        has_delete_column=feed.delete is not None and feed.delete.column in read.columns,
        added=tuple(sorted(read.unknown)) if gains else (),
        rescued=_aside(header, columns, read) if feed.unknown_columns == "rescue" else (),
        ignored=read.unknown if feed.unknown_columns == "ignore" else (),
    )


def _aside(header: Sequence[str], columns: Sequence[str], read: _Read) -> tuple[tuple[str, str], ...]:
    pairs = zip(header, columns, read.columns, strict=True)
    return tuple(sorted((name, raw) for name, raw, column in pairs if column is None))


def _faults(read: _Read, feed: Feed) -> Iterator[str]:
    # Of names that nobody reads any number may be alike.
    are_read = (
        read.named if feed.unknown_columns != "ignore" else [one for one in read.named if one not in read.unknown]
    )
    twice = [name for name, count in Counter(are_read).items() if count > 1]
    if twice:
        yield "twice: " + _named(twice)
    if read.hidden:
        yield "read by name, and by place into another column: " + _named(read.hidden)
    absent = [column for column in feed.columns if column.name not in read.columns]
    needed = [column for column in absent if column.name in feed.required or feed.missing_columns == "reject"]
    if needed:
        yield "missing: " + ", ".join(_missing(column, read.unknown) for column in needed)
    optional = [column.in_file for column in absent if column not in needed]
    if feed.delete and feed.delete.column not in read.columns:
        optional.append(feed.delete.in_file)
    names = [name for name in optional if isinstance(name, str)]
    yield from _unknown(read.unknown, names, refuses_all=bool(needed) or feed.unknown_columns == "reject")
    if feed.unknown_columns == "add":
        yield from _cannot_be_added(read.named, read.unknown)
    if feed.unknown_columns in ("add", "rescue"):
        yield from _taken(read.unknown, feed)


def _missing(column: Column, unknown: Sequence[str]) -> str:
    if isinstance(column.in_file, int):
        return f"{column.name} (at place {column.in_file})"
    near = closest(column.in_file, unknown)
    name = column.name if column.from_ is None else _quoted(column.in_file)
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
