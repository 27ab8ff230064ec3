"""The shape of a feed's CSV files: where in a record a column is, and what of a contract does not go with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from services.shared.contract.columns import Column, Delete
from services.shared.contract.fault import Fault, Place
from services.shared.contract.formats import Csv, Format


class Contract(Protocol):
    """The part of a feed that decides."""

    @property
    def format(self) -> Format: ...

    @property
    def columns(self) -> Sequence[Column]: ...

    @property
    def delete(self) -> Delete | None: ...

    @property
    def unknown_columns(self) -> str: ...

    @property
    def names_in_file(self) -> Mapping[str, str]:
        """Of the columns that are read by name."""


def places(feed: Contract) -> Mapping[int, str]:
    """By place, from 1, the columns that are read by place: those that say so; without a header all of them."""
    named = [(one.from_, one.name) for one in feed.columns]
    named += [(feed.delete.from_, feed.delete.column)] if feed.delete else []
    said = {place: name for place, name in named if isinstance(place, int)}
    if said or _has_header(feed):
        return said
    return {place: name for place, (_, name) in enumerate(named, 1)}


def titles(feed: Contract) -> list[str]:
    """The header of a file that has each column of the contract: at their places those that are read by place, around
    them the others in the contract's order. No two have one name."""
    taken, by_place, by_name = feed.names_in_file, places(feed), iter(feed.names_in_file)
    found: list[str] = []
    last = max(by_place, default=0)
    while (name := _title(len(found) + 1, by_place, taken) or next(by_name, None)) is not None or len(found) < last:
        found.append(f"_{len(found) + 1}" if name is None else name)
    return found


def by_title(feed: Contract) -> Mapping[str, str]:
    """Of each column of the contract, which of `titles` it has."""
    taken = feed.names_in_file
    by_place = {name: _title(place, places(feed), taken) or name for place, name in places(feed).items()}
    return {**{name: in_file for in_file, name in taken.items()}, **by_place}


def _title(place: int, by_place: Mapping[int, str], taken: Mapping[str, str]) -> str | None:
    name = by_place.get(place)
    return f"_{place}" if name in taken else name


def faults(feed: Contract) -> Iterator[Fault]:
    """What of a contract does not fit the shape of its files."""
    froms: list[tuple[Place, object]] = [(("columns", n, "from"), one.from_) for n, one in enumerate(feed.columns)]
    froms += [(("delete", "from"), feed.delete.from_)] if feed.delete else []
    if not isinstance(feed.format, Csv):
        yield from (
            Fault(place, f"{one} is a place, which is for csv: write a name")
            for place, one in froms
            if isinstance(one, int)
        )
        return
    if not feed.format.header:
        yield from _without_header(feed, froms)
    if feed.format.escape is not None and feed.format.delimiter == feed.format.escape:
        # As pydantic has it: where several models can be, the one that is.
        yield Fault(("format", "csv", "escape"), "the delimiter cannot be what escapes it")
    if not feed.format.quoted_newlines and (feed.format.quote == "none" or feed.format.is_of_lines):
        what = "says nothing with quote: none or escape, where a record is a line already: leave it out"
        yield Fault(("format", "csv", "quoted_newlines"), what)
    for place, one in froms:
        if isinstance(one, str) and "\n" in one.replace("\r", "\n") and not feed.format.spans_lines:
            yield Fault(place, f"{one!r} has a line end, which no field of these files has: leave it out")


def _without_header(feed: Contract, froms: Sequence[tuple[Place, object]]) -> Iterator[Fault]:
    for place, one in froms:
        if isinstance(one, str):
            yield Fault(place, f"{one!r} is a name, and a file without a header has none: write a place, such as 2")
    if any(isinstance(one, int) for _, one in froms):
        for place, one in froms:
            if one is None:
                what = "other columns have a place, so this one needs it too: write from: and its place, such as 2"
                yield Fault(place[:-1], what)
    said = {one for _, one in froms if isinstance(one, int)}
    gaps = sorted(set(range(1, max(said, default=0))) - said)
    if gaps and feed.unknown_columns == "reject":
        what = f"place {gaps[0]} is no column's: write unknown_columns: ignore, or give it a column"
        yield Fault(("unknown_columns",), what)
    if feed.unknown_columns in ("rescue", "add"):
        what = f"{feed.unknown_columns} needs names, and a file without a header has none: write reject or ignore"
        yield Fault(("unknown_columns",), what)


def _has_header(feed: Contract) -> bool:
    return not isinstance(feed.format, Csv) or feed.format.header
