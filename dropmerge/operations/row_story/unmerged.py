"""The files of a feed that its main table does not have: on their way, dead-lettered, discarded or ignored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.latest import latest_dead_letters
from dropmerge.operations.loads.events import discarded_generations
from dropmerge.operations.loads.find_file import remembered_since
from dropmerge.operations.loads.landing import Landing
from dropmerge.operations.loads.states import State
from dropmerge.operations.loads.status import merged_among, unended_loads
from services.shared.contract.feed import Feed
from services.shared.datasets import STAGING
from services.shared.generation import ObjectGeneration
from services.shared.load import Load, staged_load
from services.shared.messages.dead_letter import DeadLetter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Unmerged:
    load: Load
    state: State
    letter: DeadLetter | None = None
    """The dead letter that is waiting, if one is."""
    is_discarded: bool = False
    """Whether its dead letter was discarded."""
    is_stray: bool = False
    """Whether no feed wants it."""
    staging: str | None = None
    """The full name of its staging table, if it has one."""


def find_unmerged(connection: Connection, feed: Feed) -> list[Unmerged]:
    """Newest first; last those that no feed wants."""
    found = _on_their_way(connection, feed)
    for source in discarded_generations(connection, remembered_since()):
        if feed.wants(source.name):
            found[source] = Unmerged(Load(feed.name, source), State.DEAD_LETTERED, is_discarded=True)
    for source, letter in latest_dead_letters(connection, lambda one: _bears_on(feed, one)).items():
        found[source] = Unmerged(Load(feed.name, source), State.DEAD_LETTERED, letter, is_stray=letter.feed is None)
    staging = staging_tables(connection, feed)
    known = {one.load.load_id for one in found.values()}
    found |= _staged(connection, feed, sorted(set(staging) - known))
    merged = merged_among(connection, [one.load.load_id for one in found.values()]) if found else {}
    left = [replace(one, staging=staging.get(one.load.load_id)) for one in found.values()]
    left = [one for one in left if one.load.load_id not in merged]
    return sorted(left, key=lambda one: (one.is_stray, -one.load.source.generation))


def _bears_on(feed: Feed, letter: DeadLetter) -> bool:
    """It is about a file of the feed, or about one that no feed wants, which may have been meant for this one.

    A message that does not say which file it is about may be anybody's.
    """
    return letter.feed in (feed.name, None) and letter.source is not None


def staging_tables(connection: Connection, feed: Feed) -> dict[str, str]:
    """Full names by load id."""
    return {
        found[0]: f"{connection.project}.{STAGING}.{name}"
        for name in connection.staging_tables()
        if (found := staged_load(feed.name, name))
    }


def _on_their_way(connection: Connection, feed: Feed) -> dict[ObjectGeneration, Unmerged]:
    """Those on their way, and young ones that were never announced."""
    listing = Landing(connection).list_young()
    listing = replace(listing, young=[source for source in listing.young if feed.wants(source.name)])
    return {
        one.source: Unmerged(Load(feed.name, one.source), one.state)
        for one in unended_loads(connection, remembered_since(), listing)
        if one.feed in (feed.name, None)
        and feed.wants(one.source.name)
        and one.source.bucket == connection.landing
        and not one.state.is_terminal
    }


def _staged(connection: Connection, feed: Feed, load_ids: Sequence[str]) -> dict[ObjectGeneration, Unmerged]:
    """Those whose object was overwritten since."""
    if not load_ids:
        return {}
    parameters = {"load_ids": ("STRING", ",".join(load_ids)), "since": ("TIMESTAMP", _EPOCH)}
    rows = connection.query("objects_of_loads.sql", parameters)
    sources = [ObjectGeneration(row["bucket"], row["object"], row["generation"]) for row in rows]
    return {source: Unmerged(Load(feed.name, source), State.STAGED) for source in sources}
