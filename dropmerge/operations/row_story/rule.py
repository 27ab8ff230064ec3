"""Which row of a key stays, in general: for where nothing that is known of it explains why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.shared.contract.feed import Feed


def rule_of(feed: Feed, row: Mapping[str, str | None]) -> list[str]:
    """`row`: the main table's, as text by column."""
    if feed.mode == "snapshot":
        return ["The newest file alone decides: what it has is there, and what it lacks is deleted."]
    last = f"For files uploaded in the same microsecond a delete wins, then the greater {_then(feed.tie_breakers)}."
    if not feed.versions:
        return ["The row of the newest file wins.", last]
    first, *others = feed.versions
    return [
        f"A row replaces it if its {first} is greater than {row[first]}.",
        *(f"If that is equal, the greater {name} wins; this row has {row[name]}." for name in others),
        f"With the same {_and(feed.versions)} the newer upload wins.",
        last,
    ]


def _then(names: Sequence[str]) -> str:
    return ", then ".join([*names, "object name"])


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
