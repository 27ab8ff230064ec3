"""Faults that no contract has on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from services.shared.contract.feed import Feed
from services.shared.contract.glob import common_name
from services.shared.contract.history import reserved_names

Found = tuple[Path, str, str]
"""The contract, its key, and what is wrong with that."""
Contract = tuple[Path, Feed]


def faults_together(contracts: Sequence[Contract]) -> Iterator[Found]:
    """Of two feeds, the later is at fault."""
    yield from _shared_names(contracts)
    yield from _shared_tables(contracts)
    yield from _views(contracts)
    yield from _shared_objects(contracts)


def _shared_names(contracts: Sequence[Contract]) -> Iterator[Found]:
    first: dict[str, Path] = {}
    for path, feed in contracts:
        if feed.name in first:
            yield path, "feed", f"feed {feed.name} is declared in {first[feed.name]} already"
        first.setdefault(feed.name, path)


def _shared_tables(contracts: Sequence[Contract]) -> Iterator[Found]:
    first: dict[str, str] = {}
    for path, feed in contracts:
        owner = first.setdefault(feed.table.lower(), feed.name)
        if owner != feed.name:
            yield (
                path,
                "table",
                f"table {feed.table} already belongs to feed {owner}: each would undo the other's rows",
            )


def _views(contracts: Sequence[Contract]) -> Iterator[Found]:
    reserved = {name: what for _, feed in contracts for name, what in reserved_names(feed).items()}
    for path, feed in contracts:
        what = reserved.get(feed.table.lower())
        if what is not None:
            yield path, "table", f"{feed.table} is {what}: use another name"


def _shared_objects(contracts: Sequence[Contract]) -> Iterator[Found]:
    for number, (path, feed) in enumerate(contracts):
        # One of a name is at fault for the name already.
        others = [one for _, one in contracts[:number] if one.name != feed.name]
        shared = ((common_name(one.objects, feed.objects), one) for one in others)
        name, one = next((found for found in shared if found[0] is not None), (None, feed))
        if name is not None:
            both = f"{one.name} ({one.objects}) and {feed.name} ({feed.objects})"
            yield path, "objects", f"an object such as {name} matches both {both}: no name may match two patterns"
