"""Which row of a key stays, in general: for where nothing that is known of it explains why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dropmerge.operations.row_story.wording import Wording, say, value
from services.shared.contract.feed import Feed


def rule_of(feed: Feed, row: Mapping[str, str | None]) -> list[Wording]:
    """`row`: the main table's, as text by column."""
    if feed.mode == "snapshot":
        return [say("The newest file alone decides: what it has is there, and what it lacks is deleted.")]
    last = say(
        "For files uploaded in the same microsecond a delete wins, then the greater {}.", _then(feed.tie_breakers)
    )
    if not feed.versions:
        return [say("The row of the newest file wins."), last]
    first, *others = feed.versions
    return [
        say("A row replaces it if its {} is greater than {}.", first, value(row[first])),
        *(say("If that is equal, the greater {} wins; this row has {}.", name, value(row[name])) for name in others),
        say("With the same {} the newer upload wins.", _and(feed.versions)),
        last,
    ]


def _then(names: Sequence[str]) -> str:
    return ", then ".join([*names, "object name"])


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
