"""What a load does to a main table, in numbers of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.merge.pruning import Bound
from services.merge.staged import Staged
from services.shared.contract.feed import Feed
from services.shared.contract.order import DELETED, Rank, ranking
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


@dataclass(frozen=True)
class Effect:
    inserted: int = 0
    """Keys that were not there, or deleted, and are there."""
    updated: int = 0
    deleted: int = 0
    """Keys that were there and are not any more."""
    tombstones: int = 0
    """Deletes of keys that were not there: they are remembered."""
    ignored: int = 0
    """Keys that have a newer row already."""
    repeated: int = 0
    """Rows of the file beyond the first of their key."""


def keep_before(warehouse: Warehouse, feed: Feed, main: str, before: str) -> None:
    """Keep what `merged_effect` needs of a main table."""
    if not feed.key:
        return
    warehouse.query(_SQL.render("keep_before.sql", feed=feed, main=main, before=before))


def merged_effect(warehouse: Warehouse, feed: Feed, staged: Staged, before: str, after: str) -> Effect:
    """Of a load that has been merged. `before`: what was kept; `after`: the main table."""
    if not feed.key:
        return _appended(warehouse, staged)
    return _effect(warehouse, feed, staged, before=before, after=after, bounds=())


def expected_effect(
    warehouse: Warehouse,
    feed: Feed,
    staged: Staged,
    main: str | None,
    bounds: Sequence[Bound] = (),
) -> Effect:
    """Of a load that is not merged. `main`: its main table, if there is one.

    A question that reads keys, versions and metadata only: of two files that were created in the same microsecond it
    does not tell which wins.
    """
    if not feed.key:
        return _appended(warehouse, staged)
    if feed.mode == "snapshot":
        return _replaced(warehouse, feed, staged, main)
    return _effect(warehouse, feed, staged, before=main, after=None, bounds=bounds)


def _effect(
    warehouse: Warehouse,
    feed: Feed,
    staged: Staged,
    before: str | None,
    after: str | None,
    bounds: Sequence[Bound],
) -> Effect:
    ranks = _first_ranks(feed)
    sql = _SQL.render(
        "effect.sql",
        feed=feed,
        staged=staged.table,
        before=before,
        after=after,
        ranking=ranks,
        order=[rank.name for rank in ranks if rank.name not in feed.key],
        bounds=bounds,
    )
    (found,) = warehouse.query(sql, {"load_id": ("STRING", staged.load_id)})
    kinds = {name: found[name] for name in ("inserted", "updated", "deleted", "tombstones")}
    written, keys = sum(kinds.values()), found["distinct_keys"]
    return Effect(**kinds, ignored=max(0, keys - written), repeated=found["staged"] - keys)


def _appended(warehouse: Warehouse, staged: Staged) -> Effect:
    (found,) = warehouse.query(_SQL.render("effect_of_append.sql", staged=staged.table))
    return Effect(inserted=found["inserted"])


def _replaced(warehouse: Warehouse, feed: Feed, staged: Staged, main: str | None) -> Effect:
    sql = _SQL.render(
        "effect_of_snapshot.sql", feed=feed, staged=staged.table, before=main, generation=staged.generation
    )
    (found,) = warehouse.query(sql)
    repeated = found["staged"] - found["distinct_keys"]
    if found["is_older"]:
        return Effect(ignored=found["distinct_keys"], repeated=repeated)
    kinds = {name: found[name] for name in ("inserted", "updated", "deleted")}
    return Effect(**kinds, repeated=repeated)


def _first_ranks(feed: Feed) -> list[Rank]:
    """The steps of the order that tell rows of different files apart, and a file's deletes from its updates."""
    ranks = ranking(feed)
    return ranks[: [rank.name for rank in ranks].index(DELETED.name) + 1]
