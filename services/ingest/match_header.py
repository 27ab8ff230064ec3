"""Hold a file's header against the contract: which columns the file has, and what becomes of the unknown ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from services.ingest.formats import format_of
from services.ingest.formats.raw_field import RawField
from services.ingest.near_miss import closest, respelt
from services.ingest.shown_names import shown_names
from services.shared.contract.columns import Column, Name
from services.shared.contract.encodings import UTF_8
from services.shared.contract.feed import Feed
from services.shared.contract.formats import MAX_COLUMNS
from services.shared.errors import PermanentError

_MAX_NAMED = 10
_ONE_LEFT_OUT = "a column, whose name is left out as it may be a value, is"
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
    """Raises PermanentError("wrong_header"): which columns are missing, unknown or there twice, with near misses.

    Of a file without a header the names are a row, of which the error has none.
    """
    if len(header) > MAX_COLUMNS:
        raise PermanentError("wrong_header", f"{len(header)} columns; a file may have at most {MAX_COLUMNS}")
    read = _read(header, feed)
    shown = shown_names(header, {*feed.names_in_file, *(column.name for column in feed.columns)})
    faults = "; ".join(_faults(read, feed, shown))
    if faults:
        hints = "; ".join(format_of(feed).hints(header, feed.names_in_file.keys(), feed))
        where = f"feed {feed.name} ({hints})" if hints else f"feed {feed.name}"
        raise PermanentError("wrong_header", f"the header does not match {where}: {faults}")
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


def _faults(read: _Read, feed: Feed, shown: Collection[str]) -> Iterator[str]:
    """`shown`: the names that may be said."""
    # Of names that nobody reads any number may be alike.
    are_read = (
        read.named if feed.unknown_columns != "ignore" else [one for one in read.named if one not in read.unknown]
    )
    twice = [name for name, count in Counter(are_read).items() if count > 1]
    if twice:
        yield f"{_listed(twice, shown)} there more than once"
    if read.hidden:
        yield f"{_listed(read.hidden, shown)} read by name, and by place into another column"
    absent = [column for column in feed.columns if column.name not in read.columns]
    needed = [column for column in absent if column.name in feed.required or feed.missing_columns == "reject"]
    yield from _missing(needed, [name for name in read.unknown if name in shown])
    optional = [column.in_file for column in absent if column not in needed]
    if feed.delete and feed.delete.column not in read.columns:
        optional.append(feed.delete.in_file)
    names = [name for name in optional if isinstance(name, str)]
    refuses_all = bool(needed) or feed.unknown_columns == "reject"
    if refuses_all and read.unknown and not shown:
        yield _none_fits(read.unknown, feed)
    else:
        yield from _unknown(read.unknown, names, refuses_all, shown)
    if feed.unknown_columns == "add":
        yield from _cannot_be_added(read.named, read.unknown, shown)
    if feed.unknown_columns in ("add", "rescue"):
        yield from _taken(read.unknown, feed)


def _missing(needed: Sequence[Column], unknown: Sequence[str]) -> Iterator[str]:
    near = {column.name: closest(column.in_file, unknown) for column in needed if isinstance(column.in_file, str)}
    for column in needed:
        if meant := near.get(column.name):
            yield f"column {_called(column)} is missing (did you mean {_quoted(meant)}?)"
    others = [_called(column) for column in needed if not near.get(column.name)]
    if others:
        yield f"{_columns(others)} missing"


def _called(column: Column) -> str:
    if isinstance(column.in_file, int):
        return f"{column.name} (at place {column.in_file})"
    return column.name if column.from_ is None else _quoted(column.in_file)


def _none_fits(unknown: Sequence[str], feed: Feed) -> str:
    found = f"none of the {len(unknown)} names" if len(unknown) > 1 else "the one name"
    where, verb = ("file", "") if format_of(feed).NAMES_ARE_LOADED else ("first line", "does the file have a header?")
    is_none = "is a column" if len(unknown) > 1 else "is no column"
    return f"{found} in the {where} {is_none} of the contract{': ' if verb else ''}{verb}"


def _unknown(
    unknown: Sequence[str], optional: Sequence[str], refuses_all: bool, shown: Collection[str]
) -> Iterator[str]:
    """`optional`: the contract's names that the file lacks and may lack."""
    # Amount for amount would be NULL without a word, and Op for op would make updates of deletes. A name that is only
    # like another, as name2 is like name, is a column of its own to a feed that welcomes unknown ones.
    respelt_as = respelt(unknown, optional)
    refused = [*respelt_as, *(name for name in unknown if refuses_all and name not in respelt_as)]
    first = [name for name in refused if name in shown][:_MAX_NAMED]
    near = {name: respelt_as.get(name) or closest(name, optional) for name in first}
    for name, meant in near.items():
        if meant:
            yield f"column {_quoted(name)} is not in the contract (did you mean {meant}?)"
    others = [name for name in refused if not near.get(name)]
    if others:
        yield f"{_listed(others, shown, max(1, _MAX_NAMED - (len(refused) - len(others))))} not in the contract"


def _cannot_be_added(header: Sequence[str], unknown: Sequence[str], shown: Collection[str]) -> Iterator[str]:
    unfit = [name for name in unknown if not _is_column_name(name)]
    if unfit:
        yield f"{_listed(unfit, shown)} not fit to be added: a column's name is a letter, then letters, digits and _"
    spellings = Counter(name.lower() for name in set(header))
    alike = [name for name in unknown if spellings[name.lower()] > 1]
    if alike:
        yield f"{_listed(alike, shown)} like another one to BigQuery, which ignores case"


def _taken(unknown: Sequence[str], feed: Feed) -> Iterator[str]:
    # Kept beside the contract's column it would be another one of that name.
    renamed = {name.lower(): in_file for in_file, name in feed.names_in_file.items() if name != in_file}
    for name in unknown:
        if name.lower() in renamed:
            own = _quoted(renamed[name.lower()])
            yield f"column {_quoted(name)} is not in the contract, which has this name for {own}"


def _is_column_name(name: str) -> bool:
    try:
        _COLUMN_NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def _listed(names: Sequence[str], shown: Collection[str], most: int = _MAX_NAMED) -> str:
    """The names as the subject of a sentence, with its verb; only a count of those that may be values."""
    told = [name for name in names if name in shown][:most]
    rest = len(names) - len(told)
    if not told:
        return f"{rest} columns, whose names are left out as they may be values, are" if rest > 1 else _ONE_LEFT_OUT
    return _columns([_quoted(name) for name in told], rest)


def _columns(names: Sequence[str], more: int = 0) -> str:
    if len(names) + more == 1:
        return f"column {names[0]} is"
    return f"columns {', '.join(names)}{f' and {more} more' if more else ''} are"


def _quoted(name: str) -> str:
    return repr(name[:60])
