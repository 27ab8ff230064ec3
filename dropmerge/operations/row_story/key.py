"""A key as a person types it, and as statements compare it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dropmerge.operations.errors import UsageError
from services.shared.contract.feed import Column, Feed
from services.shared.contract.types import type_named
from services.shared.sql import identifier
from services.shared.warehouse import Parameters


@dataclass(frozen=True)
class Key:
    feed: Feed
    texts: Mapping[str, str]
    """By the key's columns, in their order, as they were typed."""
    values: Mapping[str, Any]
    """The same as values of the columns' types."""

    @property
    def parameters(self) -> Parameters:
        """k0, k1 … of the columns' types, t0, t1 … as they were typed."""
        kinds = {name: self.feed.type_of(name).name for name in self.feed.key}
        values = {f"k{n}": (kinds[name], self.values[name]) for n, name in enumerate(self.feed.key)}
        return values | {f"t{n}": ("STRING", self.texts[name]) for n, name in enumerate(self.feed.key)}

    @property
    def marked(self) -> str:
        """SQL: whether a row that is being checked has the key, by value or, where that is bad, by its text."""
        return " AND ".join(
            f"COALESCE({identifier(name)} = @k{n} OR {identifier(f'_raw_{name}')} = @t{n}, FALSE)"
            for n, name in enumerate(self.feed.key)
        )

    @property
    def words(self) -> str:
        """As it is typed after --row."""
        return " ".join(f"{name}={text}" for name, text in self.texts.items())


def read_key(feed: Feed, pairs: Sequence[str]) -> Key:
    """The key of name=value pairs. Raises UsageError."""
    if not feed.key:
        raise UsageError(
            f"{feed.name} has no key (mode: append): each row of each file is a row of {feed.table}, which names the "
            "file in _object and _generation; `dropmerge explain FILE` says what happened to a file"
        )
    given = dict(pair.partition("=")[::2] for pair in pairs)
    if set(given) != set(feed.key):
        raise UsageError(f"the key of {feed.name} is {', '.join(feed.key)}: give each as name=value")
    texts = {name: given[name] for name in feed.key}
    return Key(feed, texts, {name: _value(_column(feed, name), text) for name, text in texts.items()})


def _column(feed: Feed, name: str) -> Column:
    return next(column for column in feed.columns if column.name == name)


def _value(column: Column, text: str) -> Any:
    try:
        return parse(column, text)
    except ValueError:
        raise UsageError(f"--row {column.name}={text!r}: the contract says {column.kind.name}") from None


def parse(column: Column, text: str) -> Any:
    """The value of a text as the feed's files write it, else as dropmerge shows it. Raises ValueError."""
    try:
        return column.kind.parse(text)
    except ValueError:
        return type_named(column.type).parse(text)
